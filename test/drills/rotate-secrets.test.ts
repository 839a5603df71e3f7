import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { build } from '../../local/build.ts'
import { run } from '../../local/native/install.ts'
import type { Services } from '../../local/services.ts'
import { cardToken } from '../../src/contract/card-token.ts'
import { makeAuthority } from '../support/certificates.ts'
import { compareRun, isRight, tellReport } from '../support/compare.ts'
import { NAMES, PARTITIONS } from '../support/drill.ts'
import { type HowTo, openHowTo } from '../support/how-to.ts'
import { type KafkaWithUsers, startKafkaWithUsers } from '../support/kafka-with-users.ts'
import { isWaiting, launchProcessor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { makeTopics } from '../support/run-topics.ts'
import { makeRolesOfPage } from '../support/secure-page.ts'
import { type SecuredMongodb, startSecuredMongodb } from '../support/secured-mongodb.ts'
import { freshServices, until } from '../support/services.ts'
import { startTraffic } from '../support/steady-traffic.ts'

/** docs/how-to/rotate-secrets.md */
const CARD = '4929123456789015'
const PLATE = 'ROT 4T3'
let services: Services
let mongodb: SecuredMongodb
let kafka: KafkaWithUsers
let page: HowTo
let secrets: string

beforeAll(async () => {
  await build(() => undefined)
  services = await freshServices()
  mongodb = await startSecuredMongodb(services.directory, await makeAuthority(services.directory, 'authority'))
  kafka = await startKafkaWithUsers(services.directory)
  secrets = mkdtempSync(join(services.directory, 'secrets-'))
  page = await openHowTo('rotate-secrets.md')
}, 240_000)
afterAll(async () => {
  await mongodb?.[Symbol.asyncDispose]()
  await kafka?.discard()
  await services?.[Symbol.asyncDispose]()
}, 60_000)

const secretIn = (file: string) => join(secrets, file)
const firstLine = (file: string) => readFileSync(secretIn(file), 'utf8').split('\n')[0] as string

const parked = (event_id: string) => ({
  ...{ event_id, event_type: 'parking_start', card: CARD, zone_id: '7', timestamp: new Date().toISOString() },
  session_data: { session_id: `session of ${event_id}`, license_plate: PLATE },
})

test('the user of MongoDB, the key of cards and that of fields are changed under load, and nobody notices', async () => {
  const { KAFKA_BROKERS } = services.env
  await makeTopics(KAFKA_BROKERS, NAMES, PARTITIONS)
  const [oldUri, newUri] = [mongodb.uri('parking-1', 'one'), mongodb.uri('parking-2', 'two')]
  await makeRolesOfPage(mongodb.root, 'of no use')
  const roles = ['parkingProcess', 'parkingServe']
  await mongodb.root.db('admin').command({ createUser: 'parking-1', pwd: 'one', roles })
  writeFileSync(secretIn('card-token-key'), 'the first key of cards\n')
  writeFileSync(secretIn('encrypt-key'), `2026a:${Buffer.alloc(32, 3).toString('base64')}\n`)
  writeFileSync(secretIn('uri'), oldUri)
  const env = {
    ...{ KAFKA_BROKERS, ...NAMES, MONGODB_URI_FILE: secretIn('uri'), CARD_TOKEN_KEY_FILE: secretIn('card-token-key') },
    ...{ ENCRYPT_PATHS: 'response.session_data.license_plate', ENCRYPT_KEY_FILE: secretIn('encrypt-key') },
  }
  const send = (event_id: string) =>
    produce(KAFKA_BROKERS, NAMES.EVENTS_TOPICS, [
      { partition: 0, key: event_id, value: JSON.stringify(parked(event_id)) },
    ])
  const processors = await Promise.all([startProcessor(env), startProcessor(env)])
  let serve = await startReadSide(env)
  const traffic = startTraffic({ KAFKA_BROKERS, MONGODB_URI: oldUri }, NAMES, {
    rate: 100,
    seed: 'secrets',
    encoding: 'json',
  })
  await send('old')
  await isFound(serve, 'old')
  const oldToken = cardToken(firstLine('card-token-key'), CARD)

  await page.follow('A new user for MongoDB', { MONGODB_ADMIN_URI: mongodb.rootUri, NEW_PASSWORD: 'two' })
  expect(await rolesOf('parking-2')).toEqual(roles)
  writeFileSync(secretIn('uri'), newUri)
  await page.followIn(secrets, 'A new key for card tokens', {})
  await page.followIn(secrets, 'A new key for encrypted fields', {})
  for (const file of ['card-token-key', 'encrypt-key']) expect(statSync(secretIn(file)).mode & 0o777).toBe(0o600)
  const before = serve
  serve = await startReadSide(env)
  await before.stop()
  await isFound(serve, 'old')
  for (const [place, old] of processors.entries()) {
    await old.stop()
    processors[place] = await startProcessor(env)
  }
  await page.follow('The old user of MongoDB', { MONGODB_ADMIN_URI: mongodb.rootUri })
  await send('new')
  await isFound(serve, 'new')

  const { status, body } = await serve.post('/v1/events/query', { card: CARD })
  expect(status).toBe(200)
  const [first, second] = body.events as { _id: string; card: string; facts: { plate: string } }[]
  expect([first?._id, second?._id]).toEqual(['new', 'old'])
  expect([first?.facts.plate, second?.facts.plate]).toEqual([PLATE, PLATE])
  const newToken = cardToken(firstLine('card-token-key'), CARD)
  expect([first?.card, second?.card]).toEqual([newToken, oldToken])
  await serve.stop()

  await isRefused(env, oldUri)
  await traffic.stop()
  await using progress = await watchProgress(KAFKA_BROKERS, NAMES)
  await progress.caughtUp(60_000)
  for (const processor of processors) await processor.stop()
  const stored = await documents(newUri)
  const seals = ['old', 'new'].map((id) => /enc:(\w+):/.exec(JSON.stringify(stored.get(id)))?.[1])
  expect(seals).toEqual(['2026a', '2026b'])
  // The model knows one key of cards, and none of fields.
  const report = await compareRun({ KAFKA_BROKERS, MONGODB_URI: newUri }, NAMES, firstLine('card-token-key'))
  const { 'documents that differ': _d, 'updates with wrong fields': _u, ...others } = report.differences
  expect(Object.entries(others).filter(([, count]) => count > 0)).toEqual([])
  expect(report.figures.updates).toBeGreaterThan(300)
}, 240_000)

async function isFound(serve: ReadSide, id: string): Promise<void> {
  const looks = async () => (await serve.get(`/v1/events/${id}`)).body.facts?.plate === PLATE
  await until(looks, { timeoutMs: 30_000, what: `the document ${id} is there, and its plate can be read` })
}

/** A processor that was forgotten waits, and says why; what it cannot write is not lost. */
async function isRefused(env: Record<string, string>, oldUri: string): Promise<void> {
  const { MONGODB_URI_FILE: _, ...rest } = env
  await using forgotten = launchProcessor({
    ...rest,
    KAFKA_GROUP_ID: 'forgotten',
    STAGES: 'ingest',
    MONGODB_URI: oldUri,
  })
  const says = () => /does not know the user of MONGODB_URI/.test(forgotten.log())
  await until(says, { timeoutMs: 30_000, what: 'who has the old password is told' })
  expect(await isWaiting(forgotten)).toBe(true)
}

async function rolesOf(user: string): Promise<string[]> {
  const { users } = await mongodb.root.db('admin').command({ usersInfo: user })
  return users[0].roles.map(({ role }: { role: string }) => role).sort()
}

async function documents(uri: string): Promise<Map<string, unknown>> {
  const client = new MongoClient(uri)
  try {
    const all = await client.db(NAMES.MONGODB_DATABASE).collection(NAMES.MONGODB_COLLECTION).find().toArray()
    return new Map(all.map((one) => [String(one._id), one]))
  } finally {
    await client.close()
  }
}

test('an API key is added and withdrawn while serve runs', async () => {
  const file = join(secrets, 'keys.json')
  const make = async () => JSON.parse(await page.follow('A new API key', {})) as { key: string; entry: { id: string } }
  const [first, second] = [await make(), await make()]
  first.entry.id = 'mobile-backend-1'
  const write = (...entries: object[]) => writeFileSync(file, JSON.stringify({ keys: entries }))
  write(first.entry)
  const env = { KAFKA_BROKERS: services.env.KAFKA_BROKERS, MONGODB_URI: services.env.MONGODB_URI, ...NAMES }
  await using serve = await startReadSide({ ...env, AUTH_KEYS_FILE: file })
  const statusFor = async ({ key }: { key: string }) =>
    (await serve.get('/v1/events/none', { authorization: `Bearer ${key}` })).status
  const answers = (one: { key: string }, status: number) =>
    until(async () => (await statusFor(one)) === status, { timeoutMs: 30_000, what: `a key is answered ${status}` })
  await answers(first, 404)
  expect(await statusFor(second)).toBe(401)
  write(first.entry, second.entry)
  await answers(second, 404)
  expect(await statusFor(first)).toBe(404)
  write(second.entry)
  await answers(first, 401)
  expect(await statusFor(second)).toBe(404)
  await serve.stop()
}, 120_000)

test('the user of Kafka is changed under load, and nobody notices', async () => {
  const operator = { KAFKA_BROKERS: kafka.operator }
  const scram = (...args: string[]) =>
    run(join(page.tools, 'kafka-configs.sh'), ['--bootstrap-server', kafka.operator, '--entity-type', 'users', ...args])
  await scram('--alter', '--entity-name', 'parking-1', '--add-config', 'SCRAM-SHA-512=[password=one]')
  await makeTopics(kafka.operator, NAMES, PARTITIONS)
  const as = (user: string, password: string) => ({
    ...{ KAFKA_BROKERS: kafka.forUsers, KAFKA_SASL_MECHANISM: 'scram-sha-512', MONGODB_URI: services.env.MONGODB_URI },
    ...{
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: password,
      ...NAMES,
      CARD_TOKEN_KEY: 'a key of cards, of no use',
    },
  })
  const processors = [await startProcessor(as('parking-1', 'one')), await startProcessor(as('parking-1', 'one'))]
  const stores = { ...operator, MONGODB_URI: services.env.MONGODB_URI }
  const traffic = startTraffic(stores, NAMES, { rate: 100, seed: 'kafka', encoding: 'json' })
  await page.follow('A new user for Kafka', { ...operator, NEW_PASSWORD: 'two' })
  for (const [place, old] of processors.entries()) {
    await old.stop()
    processors[place] = await startProcessor(as('parking-2', 'two'))
  }
  await page.follow('The old user of Kafka', operator)
  await using forgotten = launchProcessor(as('parking-1', 'one'))
  await until(() => /authentication failed/i.test(forgotten.log()), {
    timeoutMs: 30_000,
    what: 'the old user is refused',
  })
  await traffic.stop()
  await using progress = await watchProgress(kafka.operator, NAMES)
  await progress.caughtUp(60_000)
  for (const processor of processors) await processor.stop()
  const report = await compareRun(stores, NAMES, 'a key of cards, of no use')
  expect(isRight(report) ? '' : tellReport(report)).toBe('')
  expect(report.figures.updates).toBeGreaterThan(300)
}, 180_000)
