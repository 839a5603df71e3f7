import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import type { CacheDocument } from '../../src/contract/document.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { compareRun, isRight, tellReport } from './compare.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { type Database, insert, ownDatabase, TABLE } from './primary.ts'
import { produce } from './produce.ts'
import { type Progress, watchProgress } from './progress.ts'
import { type ReadSide, startReadSide } from './read-side.ts'
import { newRunNames, type RunNames } from './run-names.ts'
import { simulate, TOKEN_KEY } from './run-traffic.ts'
import { sharedServices, until } from './services.ts'

const RECORDS = 3_000
const PATIENCE_MS = 60_000
const TIMEOUT_MS = 180_000

/**
 * Tests that are the same on every cluster: two processors and the read side, through its routers.
 * @param open makes it ready and gives its URI
 */
export function shardedRun(open: () => Promise<string>): RunNames {
  const { env } = sharedServices()
  const names = newRunNames('sharded')
  const services = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: '' }
  let fleet: Fleet
  let side: ReadSide
  let progress: Progress
  let primary: Database
  let mongo: MongoClient

  beforeAll(async () => {
    services.MONGODB_URI = await open()
    mongo = new MongoClient(services.MONGODB_URI)
    primary = await ownDatabase(TABLE)
    await simulate(services, names, { events: RECORDS, seed: 'sharded', encoding: 'json' })
    progress = await watchProgress(env.KAFKA_BROKERS, names)
    const settings = { ...services, ...names, CARD_TOKEN_KEY: TOKEN_KEY }
    fleet = createFleet(settings, [200], createRandom('sharded'))
    await Promise.all([fleet.start(), fleet.start()])
    side = await startReadSide({ ...settings, PRIMARY_MYSQL_URI: primary.uri })
  }, TIMEOUT_MS)

  afterAll(async () => {
    await side?.stop()
    await fleet?.[Symbol.asyncDispose]()
    await progress?.cleanUp()
    await progress?.[Symbol.asyncDispose]()
    await primary?.[Symbol.asyncDispose]()
    await mongo?.db(names.MONGODB_DATABASE).dropDatabase()
    await mongo?.close()
  }, TIMEOUT_MS)

  const stored = (id: string) =>
    mongo.db(names.MONGODB_DATABASE).collection<CacheDocument>(names.MONGODB_COLLECTION).findOne({ _id: id })
  const isStored = (id: string, what: string, is: (document: CacheDocument) => boolean) =>
    until(
      async () => {
        const document = await stored(id)
        return document !== null && is(document)
      },
      { timeoutMs: PATIENCE_MS, what: `${id} is ${what}`, everyMs: 50 },
    )
  const send = (topic: string, key: string, value: object | null) =>
    produce(env.KAFKA_BROKERS, topic, [{ partition: 0, key, value: value === null ? null : JSON.stringify(value) }])
  const at = (minutes: number) => new Date(Date.now() - 3_600_000 + minutes * 60_000).toISOString()
  const eventOf = (id: string, minutes: number) => ({
    ...{ event_id: id, event_type: 'parking_extend', card: 'card-of-sharded', zone_id: '7', status: 'success' },
    ...{ session_data: { session_id: `session-${id}` }, timestamp: at(minutes) },
  })

  test('an id is written in all ways there are', async () => {
    const id = 'in all ways'
    const newer = eventOf(id, 2)
    await send(names.EVENTS_TOPICS, id, eventOf(id, 1))
    await isStored(id, 'inserted', () => true)
    await send(names.EVENTS_TOPICS, id, newer)
    await isStored(id, 'replaced', ({ cache }) => cache.observedAt.toISOString() === newer.timestamp)
    const { updatedAt } = (await stored(id)) as CacheDocument
    await send(names.EVENTS_TOPICS, id, newer)
    await isStored(id, 'copied', (document) => document.updatedAt > updatedAt)
    await send(names.RESPONSES_TOPICS, id, { event_id: id, http_status: 500, response: {}, timestamp: at(3) })
    await isStored(id, 'merged', ({ cache }) => cache.lastSuccess !== undefined)
    await send(names.EVENTS_TOPICS, id, null)
    await isStored(id, 'invalidated', ({ cache }) => cache.kind === 'tombstone')
  })

  test('the price of a zone is written, and written again', async () => {
    const price = { parkingPrice: 3, transactionFee: 0.35, totalPrice: 3.35 }
    const prices = mongo.db(names.MONGODB_DATABASE).collection<CacheDocument>('pm_price_objects')
    for (const minutes of [1, 2]) {
      const response = { price, currency: 'USD', zone: '7', maxParkingTime: { hours: minutes } }
      const value = { event_id: `price-${minutes}`, http_status: 200, response, timestamp: at(minutes) }
      await send(names.RESPONSES_TOPICS, value.event_id, value)
      const isPriced = async () =>
        (await prices.findOne({ _id: '7' }))?.cache.observedAt.toISOString() === value.timestamp
      await until(isPriced, { timeoutMs: PATIENCE_MS, what: `price ${minutes} is stored`, everyMs: 50 })
    }
  })

  test('the read side answers by id, by card and by session, and is told of changes', async () => {
    const id = 'to be read'
    const eventIn = async (path: string) => (await side.get(path)).body
    for (const minutes of [1, 2, 3]) {
      const event = eventOf(id, minutes)
      await send(names.EVENTS_TOPICS, id, event)
      const isShown = async () => (await eventIn(`/v1/events/${id}`)).cache?.observedAt === event.timestamp
      await until(isShown, { timeoutMs: PATIENCE_MS, what: `record ${minutes} is shown`, everyMs: 50 })
    }
    expect((await eventIn('/v1/events?card=card-of-sharded')).events).toMatchObject([{ _id: id }])
    expect((await eventIn(`/v1/sessions/session-${id}`)).events).toMatchObject([{ _id: id }])
    const isTold = async () => (await side.get('/v1/cache')).body.mongodb === 'up'
    await until(isTold, { timeoutMs: PATIENCE_MS, what: 'changes are told' })
  })

  test(
    'in the end all is as the model says',
    async () => {
      await progress.caughtUp(TIMEOUT_MS)
      while (fleet.members.length > 0) await fleet.end(0, 'stop')
      const report = await compareRun(services, names, TOKEN_KEY)
      if (!isRight(report)) throw new Error(tellReport(report))
      expect(report.figures.documents).toBeGreaterThan(RECORDS / 2)
    },
    TIMEOUT_MS,
  )

  test('what only the primary store knows is written as well', async () => {
    const id = 'only in the primary'
    await insert(primary.admin, {
      session_id: id,
      event_type: 'parking_start',
      status: 'on-going',
      updated_at: new Date(),
    })
    expect((await side.get(`/v1/events/${encodeURIComponent(id)}`)).status).toBe(200)
    expect((await stored(id))?.cache.source.topic).toBe('primary:pm_parking_event')
  })

  return names
}
