import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { createConnection } from 'mysql2/promise'
import { removeAtEnd } from '../../local/native/guard.ts'
import { type Certificate, makeAuthority } from '../support/certificates.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { type Answer, type ReadSide, startReadSide } from '../support/read-side.ts'
import { runMain } from '../support/run-main.ts'
import { newRunNames } from '../support/run-names.ts'
import { type SecuredMysql, startSecuredMysql } from '../support/secured-mysql.ts'
import { sharedServices, until } from '../support/services.ts'
import { AUDIENCE, ISSUER, jwtOf, newSigner, type Signer } from '../unit/serve/access/issuer.ts'

const { env, registryUrl } = sharedServices()
const names = newRunNames('services-secured')
const USER = { SCHEMA_REGISTRY_USERNAME: 'parking', SCHEMA_REGISTRY_PASSWORD: 'registry-password' }

let directory: string
let trusted: { NODE_EXTRA_CA_CERTS: string }
let mysql: SecuredMysql
let registry: Listening
let issuer: Listening
let signer: Signer
/** What the issuer publishes. */
const signers: Signer[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pm-parking-secured-'))
  removeAtEnd(directory)
  const authority = await makeAuthority(directory, 'ours')
  trusted = { NODE_EXTRA_CA_CERTS: authority.file }
  const certificate = await authority.sign({ name: 'services', hosts: ['IP:127.0.0.1', 'DNS:localhost'] })
  signer = await newSigner('ES256', 'one')
  signers.push(signer)
  registry = await listen(certificate, forUser)
  issuer = await listen(certificate, (_, answer) => {
    answer.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }))
  })
  mysql = await startSecuredMysql(directory, certificate)
}, 120_000)

afterAll(async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await using mongo = new MongoClient(env.MONGODB_URI)
  await mongo.db(names.MONGODB_DATABASE).dropDatabase()
  registry?.close()
  issuer?.close()
  await mysql?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

interface Listening {
  url: string
  close(): void
}

async function listen({ cert, key }: Certificate, onRequest: RequestListener): Promise<Listening> {
  const server = createServer({ cert, key }, onRequest)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** Who the registry lets in, as `user:password`. */
const registryUsers = new Set(['parking:registry-password'])

/** The registry of all tests, for users with a password. */
const forUser: RequestListener = async (request, answer) => {
  const [, told = ''] = request.headers.authorization?.split('Basic ') ?? []
  if (!registryUsers.has(Buffer.from(told, 'base64').toString())) {
    answer.writeHead(401, { 'content-type': 'application/json' }).end('{"error_code":401,"message":"Unauthorized"}')
    return
  }
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const given = await fetch(new URL(request.url ?? '/', registryUrl), {
    method: request.method ?? 'GET',
    headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
    ...(parts.length > 0 && { body: Buffer.concat(parts) }),
  })
  const type = given.headers.get('content-type') ?? 'application/json'
  answer.writeHead(given.status, { 'content-type': type }).end(await given.text())
}

const ofRegistry = () => ({
  ...{ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: env.MONGODB_URI },
  ...names,
  ...USER,
  SCHEMA_REGISTRY_URL: `${registry.url}${new URL(registryUrl).pathname}`,
})

test('a registry over https, for a user, with an authority of one’s own: schemas, process and Avro', async () => {
  const checked = await runMain(['schemas', 'check'], { ...ofRegistry(), ...trusted })
  expect([checked.code, checked.stderr]).toEqual([0, ''])
  await using processor = await startProcessor({ ...ofRegistry(), ...trusted })
  const traffic = ['simulate', '--events', '50', '--encoding', 'avro', '--seed', 'secured']
  expect(await runMain(traffic, { ...ofRegistry(), ...trusted })).toMatchObject({ code: 0 })
  await hasStored(processor)
  await processor.stop()
}, 120_000)

async function hasStored(processor: Processor): Promise<void> {
  const stored = async () => {
    const samples = await processor.metrics()
    const ofInput = samples.filter(
      ({ name, labels }) => name === 'pm_input_records_total' && labels.outcome === 'stored',
    )
    return ofInput.reduce((sum, { value }) => sum + value, 0)
  }
  await until(async () => (await stored()) > 10, { timeoutMs: 60_000, what: 'Avro records are stored' })
}

test('the user of the registry is changed: a second one, another process, and the first is withdrawn', async () => {
  const file = join(directory, 'registry-password')
  const { SCHEMA_REGISTRY_PASSWORD: old, ...rest } = ofRegistry()
  await writeFile(file, old)
  const settings = { ...rest, ...trusted, SCHEMA_REGISTRY_PASSWORD_FILE: file }
  const before = await startProcessor(settings)
  registryUsers.add('parking:another-password')
  await writeFile(file, 'another-password')
  await using after = await startProcessor(settings)
  await before.stop()
  registryUsers.delete(`parking:${old}`)
  const traffic = ['simulate', '--events', '50', '--encoding', 'avro', '--seed', 'rotated']
  expect(await runMain(traffic, settings)).toMatchObject({ code: 0 })
  await hasStored(after)
  await after.stop()
  registryUsers.add(`parking:${old}`)
  registryUsers.delete('parking:another-password')
}, 120_000)

test('a registry whose authority nobody named, or that does not know the user, is told', async () => {
  const untrusted = await runMain(['schemas', 'check'], ofRegistry())
  expect(untrusted).toMatchObject({ code: 1, stderr: expect.stringMatching(/certificate/) })
  const refused = await runMain(['schemas', 'check'], {
    ...{ ...ofRegistry(), ...trusted },
    SCHEMA_REGISTRY_PASSWORD: 'another-password',
  })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/401|SCHEMA_REGISTRY_USERNAME/) })
  expect(refused.stderr).not.toContain('another-password')
}, 60_000)

const ofReadSide = () => ({
  ...{ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: env.MONGODB_URI },
  ...names,
  ...{ JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS_URL: `${issuer.url}/jwks` },
  PRIMARY_MYSQL_URI: `${mysql.uri}?ssl=true`,
})

test('a primary store and an issuer of JWTs over TLS, with an authority of one’s own', async () => {
  const authorization = `Bearer ${await jwtOf(signer)}`
  const path = `/v1/events/${mysql.sessions[0]}`
  await using readSide = await startReadSide({ ...ofReadSide(), ...trusted }, { ready: false })
  const answer = await readSide.get(path, { authorization })
  expect([answer.status, answer.headers.get('cache-status')]).toEqual([200, expect.stringContaining('primary')])
  expect((await readSide.get(path)).status).toBe(401)
  await readSide.stop()
}, 60_000)

test('a primary store that wants TLS is not asked without, and neither is one whose certificate nobody trusts', async () => {
  const authorization = `Bearer ${await jwtOf(signer)}`
  const path = `/v1/events/${mysql.sessions[0]}-of-nobody`
  const plain = { ...ofReadSide(), ...trusted, PRIMARY_MYSQL_URI: mysql.uri }
  await using withoutTls = await startReadSide(plain, { ready: false })
  await untilTold(withoutTls, () => withoutTls.get(path, { authorization }), /refuses the user or the password/)

  const { NODE_EXTRA_CA_CERTS: _, ...untrusting } = { ...ofReadSide(), ...trusted, JWT_JWKS_URL: '' }
  const { JWT_ISSUER: __, JWT_AUDIENCE: ___, ...open } = untrusting
  await using untrusted = await startReadSide(open, { ready: false })
  await untilTold(
    untrusted,
    () => untrusted.get(path),
    /a certificate .* that cannot be trusted: .*NODE_EXTRA_CA_CERTS/,
  )
}, 90_000)

/** It is told once it has happened a few times in a row. */
async function untilTold(readSide: ReadSide, ask: () => Promise<Answer>, why: RegExp): Promise<void> {
  const isTold = async () => {
    expect((await ask()).status).toBe(503)
    return why.test(readSide.log())
  }
  await until(isTold, { timeoutMs: 20_000, what: 'it says why' })
}

test('an issuer whose certificate nobody trusts makes nobody known', async () => {
  await using readSide = await startReadSide(ofReadSide(), { ready: false })
  const answer = await readSide.get('/v1/zones', { authorization: `Bearer ${await jwtOf(signer)}` })
  expect(answer.status).toBe(503)
  expect(readSide.log()).toMatch(/cannot get the keys that JWTs are checked with/)
  expect(readSide.log()).toMatch(/certificate/)
}, 60_000)

test('the user of the primary store and the keys of the issuer are changed, and who asks notices nothing', async () => {
  const file = join(directory, 'mysql-uri')
  const { PRIMARY_MYSQL_URI: old, ...rest } = ofReadSide()
  await writeFile(file, old)
  const settings = { ...rest, ...trusted, PRIMARY_MYSQL_URI_FILE: file }
  const finds = async (side: ReadSide, session: string | undefined, by: Signer) => {
    const authorization = `Bearer ${await jwtOf(by)}`
    const ask = () => side.get(`/v1/events/${session}`, { authorization })
    // A key that is not known is asked for at once, but not again and again.
    await until(async () => (await ask()).status === 200, { timeoutMs: 30_000, what: `${session} is found` })
  }
  await using before = await startReadSide(settings, { ready: false })
  await finds(before, mysql.sessions[1], signer)

  const admin = await createConnection({ uri: mysql.adminUri })
  await admin.query("CREATE USER reader_2@'127.0.0.1' IDENTIFIED BY 'second' REQUIRE SSL")
  await admin.query("GRANT SELECT ON parking.* TO reader_2@'127.0.0.1'")
  await writeFile(file, old.replace(/\/\/.*@/, '//reader_2:second@'))
  const next = await newSigner('ES256', 'two')
  signers.push(next)
  await finds(before, mysql.sessions[2], next)
  // Who starts anew does not know the old key any more.
  signers.shift()
  await using after = await startReadSide(settings, { ready: false })
  await before.stop()
  await admin.query("ALTER USER reader@'%' ACCOUNT LOCK")
  await finds(after, mysql.sessions[3], next)
  expect((await after.get('/v1/zones', { authorization: `Bearer ${await jwtOf(signer)}` })).status).toBe(401)
  await admin.end()
  await after.stop()
}, 120_000)
