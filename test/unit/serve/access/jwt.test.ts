import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type CryptoKey, exportSPKI, importJWK, SignJWT } from 'jose'
import type { Caller, Check, Refused } from '../../../../src/serve/access/caller.ts'
import { createJwts } from '../../../../src/serve/access/jwt.ts'
import {
  AUDIENCE,
  type Claims,
  ISSUER,
  type Jwks,
  jwtOf,
  newClock,
  newLog,
  newSigner,
  oddJwt,
  rightClaims,
  type Signer,
  startJwks,
  unsignedJwt,
} from './issuer.ts'

let rsa: Signer
let ec: Signer
/** Has keys of the same form, under the same names, that nobody publishes. */
let thief: Signer
let jwks: Jwks
let check: Check

const clock = newClock()
const { log, lines } = newLog()
const seconds = (fromNow: number) => Math.floor(Date.now() / 1_000) + fromNow

beforeAll(async () => {
  rsa = await newSigner('RS256', 'rsa-1')
  ec = await newSigner('ES256', 'ec-1')
  thief = await newSigner('ES256', 'ec-1')
  jwks = await startJwks(rsa.jwk, ec.jwk)
  check = createJwts({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: jwks.url }, log, clock.now)
})
afterAll(async () => {
  await jwks[Symbol.asyncDispose]()
})

async function callerOf(token: string): Promise<Caller> {
  const answer = await check(token)
  if ('refused' in answer) throw new Error(answer.detail)
  return answer
}

/** The reason why a JWT is invalid. */
async function reasonOf(token: string): Promise<string> {
  const answer = await check(token)
  expect(answer).toEqual({ refused: 'invalid', detail: expect.any(String) })
  const { detail } = answer as Refused
  // Neither the token nor a part of it that somebody could go on with.
  for (const part of token.split('.').filter((text) => text.length > 8)) expect(detail).not.toContain(part)
  return detail
}

describe('a JWT', () => {
  test('says who its caller is, what he may do, where, and until when', async () => {
    const exp = seconds(60)
    const caller = await callerOf(
      await jwtOf(rsa, { exp, scope: 'events:read status:read', zones: ['10001', '10002'] }),
    )
    expect(caller).toEqual({
      id: 'jwt:dashboard',
      scopes: new Set(['events:read', 'status:read']),
      zones: new Set(['10001', '10002']),
      expiresAt: (exp + 30) * 1_000,
    })
  })

  test('without zones is for all zones, with an empty list for none', async () => {
    expect((await callerOf(await jwtOf(ec))).zones).toBeNull()
    expect((await callerOf(await jwtOf(ec, { zones: [] }))).zones).toEqual(new Set())
  })

  test.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'])('may be signed with %s', async (alg) => {
    const signer = await newSigner(alg, 'one')
    await using own = await startJwks(signer.jwk)
    const checkOwn = createJwts({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: own.url }, log)
    expect(await checkOwn(await jwtOf(signer))).toMatchObject({ id: 'jwt:dashboard' })
  })

  test('may be for several audiences, ours among them', async () => {
    expect((await callerOf(await jwtOf(ec, { aud: ['billing', AUDIENCE] }))).id).toBe('jwt:dashboard')
  })

  test.each<[Claims, string[]]>([
    [{ scope: 'events:read admin events:write' }, ['events:read']],
    [{ scope: undefined, scp: ['status:read', 'cards:read'] }, ['status:read', 'cards:read']],
    [{ scope: undefined, scp: 'metrics:read' }, ['metrics:read']],
    [{ scope: 'events:read', scp: ['cards:read'] }, ['events:read']],
    [{ scope: '' }, []],
    [{ scope: undefined }, []],
    [{ scope: '__proto__ constructor EVENTS:READ' }, []],
  ])('with %j may %j', async (claims, scopes) => {
    expect([...(await callerOf(await jwtOf(ec, claims))).scopes]).toEqual(scopes)
  })

  test('is good for 30 seconds more by our clock, since clocks differ', async () => {
    expect((await callerOf(await jwtOf(ec, { exp: seconds(-20) }))).expiresAt).toBeGreaterThan(Date.now())
    expect((await callerOf(await jwtOf(ec, { nbf: seconds(20) }))).id).toBe('jwt:dashboard')
  })
})

describe('claims that are wrong', () => {
  test.each<[string, () => Claims, string]>([
    ['another issuer', () => ({ iss: 'https://login.example.org/' }), '"iss"'],
    ['an issuer that only begins like ours', () => ({ iss: `${ISSUER}evil` }), '"iss"'],
    ['no issuer', () => ({ iss: undefined }), '"iss"'],
    ['another audience', () => ({ aud: 'billing' }), '"aud"'],
    ['no audience', () => ({ aud: undefined }), '"aud"'],
    ['no subject', () => ({ sub: undefined }), '"sub"'],
    ['an empty subject', () => ({ sub: '' }), '"sub"'],
    ['a subject that fills the log', () => ({ sub: 'x'.repeat(256) }), '"sub"'],
    ['a subject that is no text', () => ({ sub: { toString: 'admin' } }), '"sub"'],
    ['no end', () => ({ exp: undefined }), '"exp"'],
    ['an end that is no time', () => ({ exp: 'never' }), '"exp"'],
    ['an end that no date holds', () => ({ exp: 1e300 }), '"exp"'],
    ['an end that is over', () => ({ exp: seconds(-31) }), 'expired'],
    ['a beginning that is to come', () => ({ nbf: seconds(60) }), '"nbf"'],
    ['zones that are one text', () => ({ zones: '10001' }), '"zones"'],
    ['zones that are numbers', () => ({ zones: [10001] }), '"zones"'],
    ['zones that are null', () => ({ zones: null }), '"zones"'],
    ['scopes that are numbers', () => ({ scp: [1], scope: undefined }), '"scp"'],
    ['a list where the text of scopes should be', () => ({ scope: ['events:read'] }), '"scope"'],
  ])('%s', async (_, claims, named) => {
    expect(await reasonOf(await jwtOf(ec, claims()))).toContain(named)
  })
})

describe('attacks', () => {
  test('a JWT signed with another key', async () => {
    expect(await reasonOf(await jwtOf(thief))).toContain('signature')
  })

  test('claims or signature that were changed', async () => {
    const [header, , signature] = (await jwtOf(ec)).split('.')
    const claims = Buffer.from(JSON.stringify({ ...rightClaims(), scope: 'cards:read' })).toString('base64url')
    expect(await reasonOf(`${header}.${claims}.${signature}`)).toContain('signature')
    expect(await reasonOf(`${header}.${claims}.`)).toContain('signature')
    expect(await reasonOf(`${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`)).toContain('signature')
  })

  test.each(['none', 'None', 'NONE', 'nOnE', ''])('no signature, and alg "%s"', async (alg) => {
    await reasonOf(unsignedJwt({ alg }))
    await reasonOf(unsignedJwt({ alg, kid: ec.kid }))
  })

  test('HS256 with the public key as the secret, in each form that it is published in', async () => {
    const key = (await importJWK(rsa.jwk, 'RS256', { extractable: true })) as CryptoKey
    const pem = await exportSPKI(key)
    for (const secret of [pem, pem.trim(), JSON.stringify(rsa.jwk), rsa.jwk.n ?? '']) {
      const token = await new SignJWT(rightClaims())
        .setProtectedHeader({ alg: 'HS256', kid: rsa.kid })
        .sign(new TextEncoder().encode(secret))
      expect(await reasonOf(token)).toContain('algorithm')
    }
  })

  test('HS256 with a secret that somebody put into the JWKS', async () => {
    await using own = await startJwks({ kty: 'oct', k: Buffer.from('x'.repeat(32)).toString('base64url'), kid: 'oct' })
    const checkOwn = createJwts({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: own.url }, log)
    const token = await new SignJWT(rightClaims())
      .setProtectedHeader({ alg: 'HS256', kid: 'oct' })
      .sign(new TextEncoder().encode('x'.repeat(32)))
    expect(await checkOwn(token)).toMatchObject({ refused: 'invalid' })
  })

  test('the key of another algorithm', async () => {
    expect(await reasonOf(await jwtOf(ec, {}, { kid: rsa.kid }))).toContain('does not publish')
    expect(await reasonOf(oddJwt(ec, { alg: 'RS256', kid: rsa.kid }))).toContain('signature')
    expect(await reasonOf(oddJwt(ec, { alg: 'PS256', kid: rsa.kid }))).toContain('does not publish')
  })

  test.each<[unknown]>([
    ['../../../../dev/null'],
    ["' OR 1=1 --"],
    ['__proto__'],
    [''],
    [null],
    [0],
    [['ec-1']],
    [{ toString: 'ec-1' }],
  ])('the key id %j', async (kid) => {
    expect(await reasonOf(oddJwt(ec, { alg: 'ES256', kid }))).toContain('does not publish')
    await reasonOf(oddJwt(thief, { alg: 'ES256', kid }))
  })

  test('a key that the JWT brings along, or an address of one', async () => {
    await using evil = await startJwks(thief.jwk)
    for (const header of [{ jwk: thief.jwk }, { jku: evil.url }, { x5u: evil.url }, { x5c: ['MII='] }]) {
      expect(await reasonOf(oddJwt(thief, { alg: 'ES256', kid: 'ec-1', ...header }))).toContain('signature')
    }
    expect(evil.asked()).toBe(0)
  })

  test.each([
    [{ crit: ['b64'], b64: true }],
    [{ crit: ['b64'], b64: false }],
    [{ b64: false }],
    [{ crit: ['exp'], exp: 1 }],
    [{ crit: [] }],
    [{ crit: ['http://example.com/UNDEFINED'], 'http://example.com/UNDEFINED': true }],
  ])('the header parameters %j, rightly signed', async (header) => {
    expect(await reasonOf(oddJwt(ec, { alg: 'ES256', kid: ec.kid, ...header }))).toBe('The JWT is malformed.')
  })

  test.each([
    '',
    '..',
    'a.b.c',
    'no-jwt-at-all',
    `${'x'.repeat(4_000)}.${'y'.repeat(4_000)}.z`,
    'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y2lwaGVy.dGFn',
    `${Buffer.from('[]').toString('base64url')}.e30.AA`,
    `${Buffer.from('{"alg":"ES256","kid":"ec-1"}').toString('base64url')}.e30.AA`,
  ])('%j', async (token) => {
    await reasonOf(token)
  })

  test('without a key id, where several keys would do', async () => {
    const other = await newSigner('ES256', 'ec-2')
    await using own = await startJwks(ec.jwk, other.jwk)
    const checkOwn = createJwts({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: own.url }, log)
    expect(await checkOwn(await jwtOf(ec, {}, { kid: undefined }))).toMatchObject({
      refused: 'invalid',
      detail: expect.stringContaining('"kid"'),
    })
  })

  test('an RSA key too short to be safe, though the issuer publishes it', async () => {
    const short = Buffer.alloc(128, 0xff).toString('base64url')
    await using own = await startJwks({ kty: 'RSA', n: short, e: 'AQAB', kid: 'short', alg: 'RS256' })
    const checkOwn = createJwts({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: own.url }, log)
    expect(await checkOwn(await jwtOf(rsa, {}, { kid: 'short' }))).toMatchObject({ refused: 'invalid' })
  })
})

test('a JWT that was good a moment ago is no longer good once it has expired', async () => {
  const token = await jwtOf(ec, { exp: seconds(60), sub: 'expiring' })
  const { expiresAt } = await callerOf(token)
  clock.pass((expiresAt ?? 0) - clock.now() + 1)
  expect(await reasonOf(token)).toContain('expired')
})

test('no token and no claim is in the log', () => {
  expect(JSON.stringify(lines)).not.toMatch(/eyJ|dashboard/)
})
