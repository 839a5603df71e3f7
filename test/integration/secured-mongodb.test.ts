import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { removeAtEnd } from '../../local/native/guard.ts'
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.ts'
import { isWaiting, launchProcessor, type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { runMain } from '../support/run-main.ts'
import { newRunNames } from '../support/run-names.ts'
import { makeRolesOfPage } from '../support/secure-page.ts'
import { type SecuredMongodb, startSecuredMongodb } from '../support/secured-mongodb.ts'
import { sharedServices, until } from '../support/services.ts'

const { env, primaryUri } = sharedServices()
// The roles of the page are for the default names of database and collections.
const names = { ...newRunNames('mongodb-secured'), MONGODB_DATABASE: 'dataset' }
const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, ...names }
const PASSWORD = 'p4ssw0rd-of-a-test'

let directory: string
let authority: Authority
let mongodb: SecuredMongodb

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pm-parking-secured-'))
  removeAtEnd(directory)
  authority = await makeAuthority(directory, 'ours')
  mongodb = await startSecuredMongodb(directory, authority)
  // Of docs/how-to/secure.md.
  expect(await makeRolesOfPage(mongodb.root, PASSWORD)).toBe(7)
}, 120_000)

afterAll(async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await mongodb?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const PRICE = JSON.stringify({
  event_id: 'price',
  endpoint: '/rates/price?zone=67890',
  http_status: 200,
  response: { price: { totalPrice: 1.25 }, maxParkingTime: { hours: 2 } },
  timestamp: new Date().toISOString(),
})

const asProcess = () => ({ ...settings, MONGODB_URI: mongodb.uri('parking-process', PASSWORD) })
const asServe = () => ({ ...settings, MONGODB_URI: mongodb.uri('parking-serve', PASSWORD) })

const consumed = async (processor: Processor): Promise<number> => {
  const samples = (await processor.metrics()).filter(({ name }) => name === 'pm_input_records_total')
  return samples.reduce((sum, { value }) => sum + value, 0)
}

async function simulate(processor: Processor, seed: string): Promise<void> {
  const before = await consumed(processor)
  expect(await runMain(['simulate', '--events', '200', '--seed', seed], settings)).toMatchObject({ code: 0 })
  await until(async () => (await consumed(processor)) >= before + 200, { timeoutMs: 60_000, what: 'all are read' })
}

describe('with the roles that docs/how-to/secure.md makes', () => {
  test('process writes with a user of SCRAM-SHA-256, and serve reads and is told of changes', async () => {
    await using processor = await startProcessor(asProcess())
    await simulate(processor, 'scram')
    const documents = mongodb.root.db('dataset').collection<{ _id: string }>('pm_parking_events')
    expect(await documents.countDocuments()).toBeGreaterThan(50)
    await produce(env.KAFKA_BROKERS, names.RESPONSES_TOPICS, [{ partition: 0, key: null, value: PRICE }])
    const prices = mongodb.root.db('dataset').collection('pm_price_objects')
    await until(() => prices.countDocuments(), { timeoutMs: 30_000, what: 'a price is stored' })

    await using readSide = await startReadSide(asServe())
    const { _id: id = '' } = (await documents.findOne({ 'cache.kind': { $ne: 'tombstone' } })) ?? {}
    expect((await readSide.get(`/v1/events/${encodeURIComponent(id)}`)).status).toBe(200)
    const toldBy = async () => JSON.stringify((await readSide.get('/v1/cache')).body)
    await until(async () => /"mongodb":"up"/.test(await toldBy()), { timeoutMs: 20_000, what: 'changes are told' })
    await until(async () => (await documents.indexes()).some(({ name }) => name?.startsWith('cache.sessionId')), {
      timeoutMs: 20_000,
      what: 'the index of serve is there',
    })
    expect(readSide.log()).not.toMatch(/cannot be made|tells no changes|not let our user/)
    await processor.stop()
    await readSide.stop()
  }, 180_000)

  test('process comes in by its client certificate (MONGODB-X509)', async () => {
    const { files } = await authority.sign({ name: 'parking-process', unit: 'clients' })
    const uri = mongodb.uriByCertificate(files.both)
    await using processor = await startProcessor({ ...settings, MONGODB_URI: uri })
    await simulate(processor, 'x509')
    await processor.stop()
    const { stdout, code } = await runMain(['config'], { ...settings, MONGODB_URI: uri })
    expect([code, stdout.includes('authMechanism=MONGODB-X509')]).toEqual([0, true])
  }, 120_000)

  test('serve stores what only the primary store knew', async () => {
    const mysql = await createConnection({ uri: primaryUri })
    const [[row]] = await mysql.query<RowDataPacket[]>('SELECT session_id FROM pm_parking_event LIMIT 1')
    await mysql.end()
    const id: string = row?.session_id
    await using readSide = await startReadSide({ ...asServe(), PRIMARY_MYSQL_URI: primaryUri })
    expect((await readSide.get(`/v1/events/${id}`)).status).toBe(200)
    const documents = mongodb.root.db('dataset').collection<{ _id: string }>('pm_parking_events')
    await until(() => documents.findOne({ _id: id }), { timeoutMs: 10_000, what: 'it is in MongoDB' })
    await readSide.stop()
  }, 60_000)

  test('config shows where MongoDB is, and neither user nor password', async () => {
    const secret = `${mongodb.uri('parking-process', PASSWORD)}&tlsCertificateKeyFilePassword=${PASSWORD}`
    const { stdout, code } = await runMain(['config'], { ...settings, MONGODB_URI: secret })
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(`MONGODB_URI=mongodb://***@${mongodb.host}/?replicaSet=`),
    ])
    expect(stdout).not.toContain(PASSWORD)
    expect(stdout).not.toContain('parking-process:')
  })
})

/** A server that shows this certificate and hands on what it reads to MongoDB. */
async function impostor({ cert, key }: Certificate) {
  const server = createServer({ cert, key }, (socket) => {
    const onwards = connect(Number(mongodb.host.split(':')[1]), '127.0.0.1')
    socket.pipe(onwards).pipe(socket)
    for (const end of [socket, onwards]) end.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

describe('of what MongoDB does not let it do, process waits and says what it is', () => {
  const closing: (() => void)[] = []
  afterEach(() => {
    for (const close of closing.splice(0)) close()
  })

  async function reasonOf(uri: string, more: Record<string, string> = {}): Promise<string> {
    await using processor = launchProcessor({ ...settings, MONGODB_URI: uri, ...more })
    const said = () => /"reason":"([^"]*(?:\\"[^"]*)*)","msg":"waiting for mongodb"/.exec(processor.log())?.[1]
    await until(() => said() !== undefined, { timeoutMs: 30_000, what: 'it says why it waits' })
    expect(await isWaiting(processor)).toBe(true)
    expect(processor.log()).not.toContain(PASSWORD)
    return said() ?? ''
  }
  const proxied = async (certificate: Certificate) => {
    const { host, close } = await impostor(certificate)
    closing.push(close)
    return mongodb
      .uri('parking-process', PASSWORD)
      .replace(mongodb.host, host)
      .replace('replicaSet=rs0', 'directConnection=true')
  }

  test('a wrong password, a user that nobody made, a client certificate of another authority, a file that is not there', async () => {
    const stranger = await (await makeAuthority(directory, 'theirs')).sign({ name: 'parking-process', unit: 'clients' })
    const unknown = await authority.sign({ name: 'somebody', unit: 'clients' })
    const reasons = await Promise.all([
      reasonOf(mongodb.uri('parking-process', 'wrong')),
      reasonOf(mongodb.uriByCertificate(unknown.files.both)),
      reasonOf(mongodb.uriByCertificate('/nowhere.pem')),
    ])
    expect(reasons[0]).toMatch(
      /^MongoDB does not know the user of MONGODB_URI, or refuses its password or certificate: /,
    )
    expect(reasons[1]).toMatch(/Could not find user .*CN=somebody,OU=clients,O=parking/)
    expect(reasons[2]).toMatch(/^A file that MONGODB_URI names cannot be read: .*nowhere\.pem/)
    await using processor = launchProcessor({ ...settings, MONGODB_URI: mongodb.uriByCertificate(stranger.files.both) })
    await until(() => /unknown ca|certificate|closed|reset/i.test(processor.log()), {
      timeoutMs: 30_000,
      what: 'it says why',
    })
  }, 120_000)

  test('a server whose certificate has expired, is for another host, or of an authority that nobody named', async () => {
    const hosts = ['IP:127.0.0.1']
    const foreign = await makeAuthority(directory, 'foreign')
    const [expired, other, theirs] = await Promise.all([
      authority.sign({ name: 'mongodb', hosts, expired: true }).then(proxied),
      authority.sign({ name: 'mongodb', hosts: ['DNS:elsewhere.example'] }).then(proxied),
      foreign.sign({ name: 'mongodb', hosts }).then(proxied),
    ])
    const reasons = await Promise.all([expired, other, theirs].map((uri) => reasonOf(uri as string)))
    expect(reasons).toEqual([
      expect.stringMatching(/^MongoDB has a certificate that has expired: renew it/),
      expect.stringMatching(/^MongoDB has a certificate for other hosts than the one that was asked for/),
      expect.stringMatching(
        /^MongoDB has a certificate that none of the authorities trusted here has signed.*tlsCAFile/,
      ),
    ])
  }, 120_000)

  test('a right that its role lacks', async () => {
    await without('parkingProcess', 'createIndex', 'pm_parking_events', async () => {
      expect(await reasonOf(mongodb.uri('parking-process', PASSWORD))).toBe(
        'MongoDB does not let our user run createIndexes on dataset.pm_parking_events: give it the role that docs/how-to/secure.md makes',
      )
    })
  }, 60_000)
})

/** Takes an action out of a role, for as long as `work` goes on. */
async function without<T>(role: string, action: string, collection: string, work: () => Promise<T>): Promise<T> {
  const admin = mongodb.root.db('admin')
  const change = { privileges: [{ resource: { db: 'dataset', collection }, actions: [action] }] }
  await admin.command({ revokePrivilegesFromRole: role, ...change })
  try {
    return await work()
  } finally {
    await admin.command({ grantPrivilegesToRole: role, ...change })
  }
}

test.each(['find', 'insert', 'update'])(
  'process that may not %s any more waits, says so without what it was about, and goes on once it may',
  async (action) => {
    await using processor = await startProcessor(asProcess())
    const secret = `event-${action}-of-nobody-else`
    const record = (status: string, time: string) => ({
      partition: 0,
      key: null,
      value: JSON.stringify({ event_id: secret, event_type: 'parking_start', status, timestamp: time }),
    })
    if (action === 'update') {
      await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [record('on-going', '2026-11-01T10:00:00Z')])
      const stored = mongodb.root.db('dataset').collection<{ _id: string }>('pm_parking_events')
      await until(() => stored.findOne({ _id: secret }), { timeoutMs: 30_000, what: 'it is stored' })
    }
    const about = `MongoDB does not let our user run ${action} on dataset.pm_parking_events`
    await without('parkingProcess', action, 'pm_parking_events', async () => {
      await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [record('success', '2026-11-01T11:00:00Z')])
      await until(() => processor.log().includes(about), { timeoutMs: 30_000, what: `it says ${about}` })
      const ready = await fetch(`${processor.url}/readyz`)
      expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining(about)])
      expect(await processor.answers('/healthz')).toBe(200)
    })
    await until(async () => (await processor.answers('/readyz')) === 200, { timeoutMs: 60_000, what: 'it goes on' })
    expect(processor.log()).not.toContain(secret)
    await processor.stop()
  },
  120_000,
)

test.each([
  ['changeStream', 'MongoDB does not let our user run aggregate on dataset.pm_parking_events'],
  ['createIndex', 'MongoDB does not let our user run createIndexes on dataset.pm_parking_events'],
])(
  'serve without %s says so, and answers',
  async (action, about) => {
    await dropSessionIndex()
    await without('parkingServe', action, 'pm_parking_events', async () => {
      await using readSide: ReadSide = await startReadSide(asServe())
      await until(() => readSide.log().includes(about), { timeoutMs: 30_000, what: `it says ${about}` })
      expect((await readSide.get('/v1/events/of-nobody')).status).toBe(404)
      await readSide.stop()
    })
  },
  90_000,
)

test('serve that may not find answers that MongoDB cannot be asked, and quotes no id', async () => {
  await without('parkingServe', 'find', 'pm_parking_events', async () => {
    await using readSide = await startReadSide(asServe())
    const answer = await readSide.get('/v1/events/id-of-nobody-else')
    expect(answer.status).toBe(503)
    expect(JSON.stringify(answer.body)).not.toContain('execute command')
    expect(readSide.log()).not.toContain('id-of-nobody-else')
    await readSide.stop()
  })
}, 90_000)

const dropSessionIndex = () =>
  mongodb.root
    .db('dataset')
    .collection('pm_parking_events')
    .dropIndex('cache.sessionId_1_cache.observedAt_-1')
    .catch(() => undefined)
