import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Access, createAccess, SCOPES } from '../../../../src/serve/access/access.ts'
import { makeKey } from '../../../../src/serve/access/make-key.ts'
import { AUDIENCE, ISSUER, type Jwks, jwtOf, newLog, newSigner, startJwks } from './issuer.ts'

const directory = mkdtempSync(join(tmpdir(), 'access-'))
const keysFile = join(directory, 'keys.json')
const { key, entry } = makeKey('mobile-backend', ['events:read'], null, null)
const { log } = newLog()

let jwks: Jwks
let token: string
let both: Access
let keysOnly: Access
let jwtsOnly: Access

beforeAll(async () => {
  const signer = await newSigner('ES256', 'one')
  jwks = await startJwks(signer.jwk)
  token = await jwtOf(signer)
  writeFileSync(keysFile, JSON.stringify({ keys: [entry] }))
  const jwt = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: jwks.url }
  both = await createAccess({ keysFile, jwt }, log)
  keysOnly = await createAccess({ keysFile, jwt: null }, log)
  jwtsOnly = await createAccess({ keysFile: null, jwt }, log)
})
afterAll(async () => {
  await jwks[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

const INVALID = { refused: 'invalid', detail: expect.any(String) }

describe('access', () => {
  test('is open, with all scopes, where no credentials are configured', async () => {
    const open = await createAccess({ keysFile: null, jwt: null }, log)
    expect(open.required).toBe(false)
    expect(await open.authenticate({})).toEqual({
      id: 'anonymous',
      scopes: new Set(SCOPES),
      zones: null,
      expiresAt: null,
    })
  })

  test('is by an API key in either header, or by a JWT', async () => {
    expect(both.required).toBe(true)
    for (const headers of [
      { authorization: `Bearer ${key}` },
      { authorization: `bearer  ${key}` },
      { 'x-api-key': key },
    ]) {
      expect(await both.authenticate(headers)).toMatchObject({ id: 'mobile-backend' })
      expect(await keysOnly.authenticate(headers)).toMatchObject({ id: 'mobile-backend' })
    }
    for (const access of [both, jwtsOnly]) {
      expect(await access.authenticate({ authorization: `Bearer ${token}` })).toMatchObject({ id: 'jwt:dashboard' })
    }
  })

  test('is not by what is not configured', async () => {
    expect(await keysOnly.authenticate({ authorization: `Bearer ${token}` })).toEqual(INVALID)
    expect(await jwtsOnly.authenticate({ authorization: `Bearer ${key}` })).toEqual(INVALID)
    expect(await jwtsOnly.authenticate({ 'x-api-key': key })).toEqual(INVALID)
  })

  test('without credentials is told what to send', async () => {
    expect(await both.authenticate({})).toEqual({
      refused: 'missing',
      detail: expect.stringContaining('Authorization: Bearer'),
    })
    expect(await both.authenticate({ authorization: undefined, 'x-api-key': undefined })).toMatchObject({
      refused: 'missing',
    })
  })

  test('is not by two credentials, though both are good', async () => {
    expect(await both.authenticate({ authorization: `Bearer ${token}`, 'x-api-key': key })).toEqual(INVALID)
    expect(await both.authenticate({ authorization: '', 'x-api-key': key })).toEqual(INVALID)
  })

  test('is not by what is no credential', async () => {
    const wrong = [
      ...['', 'Bearer', 'Bearer ', `Basic ${key}`, key, `Bearer ${key} ${key}`, `Bearer ${key},`, `Bearer ${key}\n`],
      ...[`Bearer x${key}`, `Bearer\t${key}`, 'Bearer ключ'],
    ]
    for (const authorization of wrong) expect(await both.authenticate({ authorization })).toEqual(INVALID)
    for (const apiKey of ['', token, `Bearer ${key}`, `${key}, ${key}`]) {
      expect(await both.authenticate({ 'x-api-key': apiKey })).toEqual(INVALID)
    }
  })

  test('is refused to headers over 8 KiB before anything else is done with them', async () => {
    for (const headers of [{ authorization: `Bearer ${'x'.repeat(8_186)}` }, { 'x-api-key': 'x'.repeat(8_193) }]) {
      expect(await both.authenticate(headers)).toEqual({ refused: 'invalid', detail: expect.stringContaining('8192') })
    }
  })
})
