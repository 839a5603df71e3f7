import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import type { EventView, SessionView, ZoneView } from '../../src/contract/api.ts'
import { cardToken } from '../../src/contract/card-token.ts'
import { insert, ownDatabase } from '../support/primary.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { type Answer, type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

/** The processor and the read side at work, on records of this test alone. */
const { env, mongodbUri } = sharedServices()
const names = newRunNames('serve')
const OLD_KEY = 'an older key of tokens'
const KEY = 'the newest key of tokens'
const NUMBER = '4111111111111111'
const settings = {
  KAFKA_BROKERS: env.KAFKA_BROKERS,
  MONGODB_URI: mongodbUri,
  ...names,
  CARD_TOKEN_KEY: `${KEY}\n${OLD_KEY}`,
}

const TABLE = `CREATE TABLE pm_parking_event (
  session_id VARCHAR(64) NOT NULL, user_id BIGINT, event_type VARCHAR(32), status VARCHAR(16), zone_id VARCHAR(32),
  license_plate_number VARCHAR(32), created_at TIMESTAMP(3) NULL, updated_at TIMESTAMP(3) NULL, KEY (session_id))`

let db: Awaited<ReturnType<typeof ownDatabase>>
let processor: Processor
let side: ReadSide
let mongo: MongoClient
const documents = () => mongo.db(names.MONGODB_DATABASE).collection<{ _id: string }>(names.MONGODB_COLLECTION)

beforeAll(async () => {
  db = await ownDatabase(TABLE)
  mongo = new MongoClient(mongodbUri)
  processor = await startProcessor(settings)
  side = await startReadSide({ ...settings, PRIMARY_MYSQL_URI: db.uri })
}, 120_000)

afterAll(async () => {
  await side?.stop()
  await processor?.stop()
  await db?.[Symbol.asyncDispose]()
  await mongo?.db(names.MONGODB_DATABASE).dropDatabase()
  await mongo?.close()
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
}, 60_000)

type Fields = Record<string, unknown>
const NOW = Date.now()
const at = (seconds: number) => new Date(NOW + 1_000 * seconds).toISOString()

async function send(...records: Fields[]): Promise<void> {
  const messages = records.map((value) => ({ partition: 0, key: String(value.event_id), value: JSON.stringify(value) }))
  await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, messages)
}

async function erase(id: string): Promise<void> {
  await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [{ partition: 0, key: id, value: null }])
}

/** Asks until the answer is as wanted. */
async function answer(path: string, isWanted: (answer: Answer) => boolean): Promise<Answer> {
  let last: Answer | undefined
  await until(
    async () => {
      last = await side.get(path)
      return isWanted(last)
    },
    { timeoutMs: 30_000, what: `${path} answers as wanted` },
  ).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last?.body)}`)
  })
  return last as Answer
}

const isThere = ({ status }: Answer) => status === 200
const cacheStatus = ({ headers }: Answer) => headers.get('cache-status')

function parking(id: string, session: string, type: string, seconds: number, more: Fields = {}): Fields {
  return {
    ...{ event_id: id, event_type: type, card: NUMBER, zone_id: '10001', timestamp: at(seconds), status: 'success' },
    session_data: { session_id: session, start_time: at(0), end_time: at(3_600), license_plate: 'ABC123' },
    ...more,
  }
}

describe('an event', () => {
  test('is the document that is stored, and what it says', async () => {
    await send(parking('e1', 's1', 'parking_start', 1, { big: '@', user_id: 7 }))
    const { body } = (await answer('/v1/events/e1', isThere)) as { body: EventView }
    const stored = await documents().findOne({ _id: 'e1' })
    const { cache, facts, ...content } = body
    const { cache: storedCache, ...storedContent } = JSON.parse(JSON.stringify(stored))
    expect(content).toEqual(storedContent)
    expect(cache).toEqual({ ...storedCache, order: undefined })
    expect(content.card).toBe(cardToken(KEY, NUMBER))
    expect(facts).toMatchObject({
      sessionId: 's1',
      zoneId: '10001',
      plate: 'ABC123',
      startsAt: at(0),
      endsAt: at(3_600),
    })
  })

  test('comes from MongoDB, then from memory, and is known by its ETag', async () => {
    await send(parking('e2', 's2', 'parking_start', 1))
    await until(async () => (await documents().findOne({ _id: 'e2' })) !== null, { timeoutMs: 20_000, what: 'e2' })
    await answer('/v1/events/e2', isThere)
    const again = await answer('/v1/events/e2', (one) => /; hit; ttl=\d+$/.test(cacheStatus(one) ?? ''))
    const etag = again.headers.get('etag') ?? ''
    expect(Number(again.headers.get('age'))).toBeLessThan(60)
    const known = await side.get('/v1/events/e2', { 'if-none-match': `"other", W/${etag}` })
    expect([known.status, known.body, known.headers.get('etag')]).toEqual([304, '', etag])
  })

  test('is shown anew as soon as it has changed', async () => {
    await send(parking('e3', 's3', 'parking_start', 1))
    const first = await answer('/v1/events/e3', isThere)
    await send(parking('e3', 's3', 'parking_stop', 2))
    const next = await answer('/v1/events/e3', ({ body }) => body.cache?.status === 'finished')
    expect(next.headers.get('etag')).not.toBe(first.headers.get('etag'))
  })

  test('keeps its numbers exactly', async () => {
    const text =
      '{"event_id":"e4","event_type":"parking_start","big":9007199254740993123,"fine":0.1234567890123456789012}'
    await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [{ partition: 0, key: 'e4', value: text }])
    await answer('/v1/events/e4', isThere)
    const body = await (await fetch(`${side.url}/v1/events/e4`)).text()
    expect(body).toContain('"big":9007199254740993123')
    expect(body).toMatch(/"fine":0\.1234567890123456789012/)
  })

  test('that nobody knows is not found, and that is remembered until it comes', async () => {
    const first = await side.get('/v1/events/e5')
    expect([first.status, first.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8'])
    expect(cacheStatus(await side.get('/v1/events/e5'))).toMatch(/; hit; ttl=\d; detail=negative$/)
    await send(parking('e5', 's5', 'parking_start', 1))
    await until(async () => (await documents().findOne({ _id: 'e5' })) !== null, { timeoutMs: 20_000, what: 'e5' })
    const began = Date.now()
    await answer('/v1/events/e5', isThere)
    expect(Date.now() - began).toBeLessThan(4_000)
  })

  test('that was invalidated is gone', async () => {
    await send(parking('e6', 's6', 'parking_start', 1))
    await answer('/v1/events/e6', isThere)
    await erase('e6')
    const gone = await answer('/v1/events/e6', ({ status }) => status === 410)
    expect(JSON.stringify(gone.body)).not.toContain('ABC123')
  })
})

describe('events of a card', () => {
  const OTHER = '5555555555554444'

  beforeAll(async () => {
    const records = Array.from({ length: 7 }, (_, i) =>
      parking(`c${i}`, 'sc', 'parking_extend', 10 + i, { card: OTHER }),
    )
    await send(...records)
    await until(async () => (await documents().countDocuments({ card: cardToken(KEY, OTHER) })) === 7, {
      timeoutMs: 20_000,
      what: 'the events of the card are stored',
    })
    // One of the time of an older key, and one that shares its time with another.
    const [one] = await documents().find({ _id: 'c3' }).toArray()
    await documents().insertOne({ ...one, _id: 'c9', card: cardToken(OLD_KEY, OTHER) } as never)
  }, 60_000)

  const ids = ({ body }: Answer) => body.events.map(({ _id }: EventView) => _id)

  test('are found by its number, which is never in a URL, under all keys', async () => {
    const refused = await side.get(`/v1/events?card=${OTHER}`)
    expect([refused.status, refused.body.type]).toEqual([400, '/problems/card-number-in-url'])
    expect(refused.body.remedy).toContain('POST /v1/events/query')
    const found = await side.post('/v1/events/query', { card: '5555 5555 5555 4444' })
    expect(new Set(ids(found))).toEqual(new Set(['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c9']))
  })

  test('come in pages, the newest first, each once', async () => {
    const stored = await documents()
      .find({ card: cardToken(KEY, OTHER) })
      .toArray()
    const times = new Map(stored.map((one) => [one._id, Number((one as unknown as { createdAt: Date }).createdAt)]))
    let path: string | undefined = `/v1/events?card=${cardToken(KEY, OTHER)}&limit=2`
    const seen: string[] = []
    for (let pages = 0; path !== undefined && pages < 10; pages++) {
      const page = await side.get(path)
      expect(page.status).toBe(200)
      seen.push(...ids(page))
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
    }
    const newestFirst = [...times].sort(([a, t], [b, u]) => u - t || (a < b ? 1 : -1)).map(([id]) => id)
    expect(seen).toEqual(newestFirst)
  })

  test('by a query come in pages too', async () => {
    const seen: string[] = []
    let before: string | undefined
    do {
      const page = await side.post('/v1/events/query', { card: OTHER, limit: 3, ...(before && { before }) })
      expect(page.status).toBe(200)
      seen.push(...ids(page))
      before = page.body.next
    } while (before !== undefined)
    expect(seen).toHaveLength(8)
    expect(new Set(seen).size).toBe(8)
  })

  test('are listed anew when one comes', async () => {
    const path = `/v1/events?card=${cardToken(KEY, OTHER)}`
    await side.get(path)
    await send(parking('c10', 'sc', 'parking_extend', 30, { card: OTHER }))
    const listed = await answer(path, (one) => ids(one).includes('c10'))
    expect(ids(listed)[0]).toBe('c10')
  })
})

describe('sessions and zones', () => {
  test('a session has its state, its revision, and its events in order', async () => {
    await send(
      parking('z1', 'sz', 'parking_start', 1, { zone_id: '20002' }),
      parking('z2', 'sz', 'payment_authorized', 2, { zone_id: '20002', status: 'authorized' }),
      parking('z3', 'sz', 'parking_stop', 3, { zone_id: '20002' }),
    )
    const { body } = (await answer('/v1/sessions/sz', (one) => one.body.revision === 3)) as { body: SessionView }
    expect(body.events.map(({ _id }) => _id)).toEqual(['z1', 'z2', 'z3'])
    expect(body).toMatchObject({ session_id: 'sz', zone_id: '20002', status: 'finished', card: cardToken(KEY, NUMBER) })
    expect(body.state).toEqual({
      session: { status: 'finished', occurred_at: at(3), event_id: 'z3' },
      payment: { status: 'authorized', occurred_at: at(2), event_id: 'z2' },
    })
    expect((await side.get('/v1/sessions/nobody')).status).toBe(404)
  })

  test('a zone tells how many are parked in it, by status', async () => {
    const zone = { zone_id: '30003' }
    await send(
      parking('p1', 'sp1', 'parking_start', 1, zone),
      parking('p2', 'sp2', 'parking_start', 1, zone),
      parking('p3', 'sp3', 'parking_start', 1, zone),
      parking('p4', 'sp3', 'parking_stop', 2, zone),
      parking('p5', 'sp2', 'parking_alert', 2, { ...zone, status: 'ALERTED' }),
    )
    const wanted: ZoneView = { zone_id: '30003', parked: 2, overdue: 0, by_status: { alerted: 1, 'on-going': 1 } }
    const isWanted = (one: ZoneView) => isDeepStrictEqual(one.by_status, wanted.by_status)
    const { body } = await answer('/v1/zones/30003', (one) => isWanted(one.body))
    expect(body).toMatchObject(wanted)
    expect(body.occupancy.points.at(-1).parked).toBe(2)
    const all = (await side.get('/v1/zones')).body.zones as ZoneView[]
    expect(all).toContainEqual(wanted)
    const listed = (await side.get('/v1/sessions?zone=30003&status=alerted')).body.sessions
    expect(listed).toMatchObject([{ session_id: 'sp2', status: 'alerted', parked: true, overdue: false, revision: 2 }])
    expect((await side.get('/v1/zones/nowhere')).body).toMatchObject({ parked: 0, by_status: {} })
  })
})

describe('what a zone costs', () => {
  const ask = (id: string, seconds: number, total: number) =>
    produce(env.KAFKA_BROKERS, names.RESPONSES_TOPICS, [
      {
        ...{ partition: 0, key: id },
        value: JSON.stringify({
          ...{ event_id: id, card: NUMBER, http_status: 200, timestamp: at(seconds), user_id: 7 },
          ...{ endpoint: '/rates/price?zone=50005', payload: { plate: 'ABC123' } },
          response: { price: { totalPrice: total }, maxParkingTime: { totalMinutes: 60 }, currency: 'USD' },
        }),
      },
    ])

  test('is its newest price answer, without anything of who asked, for thirty days', async () => {
    expect((await side.get('/v1/zones/50005/price')).status).toBe(404)
    await ask('price-1', 10, 3)
    const { body } = await answer('/v1/zones/50005/price', isThere)
    expect(body).toMatchObject({
      _id: '50005',
      response: { price: { totalPrice: 3 } },
      facts: { amount: 3, currency: 'USD' },
    })
    expect(Date.parse(body.cache.expiresAt) - Date.parse(at(10))).toBe(30 * 86_400_000)
    expect(JSON.stringify(body)).not.toMatch(/ABC123|tok_|"user_id"/)
    await ask('price-2', 5, 2)
    await ask('price-3', 20, 4)
    await answer('/v1/zones/50005/price', (one) => one.body.facts.amount === 4)
    await answer('/v1/zones/50005/price', (one) => /; hit; ttl=\d+$/.test(cacheStatus(one) ?? ''))
  })
})

describe('what only the primary knows', () => {
  const SESSION = 'IC73443624523235N'
  const updatesOf = async () =>
    (await side.get(`/v1/sessions?limit=500`)).body.sessions.map((one: SessionView) => one.session_id)

  test('is shown, merged into MongoDB with its own times, and makes no observation', async () => {
    const updated = new Date(NOW - 3_600_000)
    const mysqlTime = (time: Date) => time.toISOString().replace('T', ' ').replace('Z', '')
    await insert(db.admin, {
      ...{ session_id: SESSION, event_type: 'parking_start', zone_id: '40004', license_plate_number: 'XYZ9' },
      ...{
        status: 'on-going',
        user_id: '12345',
        created_at: mysqlTime(new Date(NOW - 7_200_000)),
        updated_at: mysqlTime(updated),
      },
    })
    const first = await side.get(`/v1/events/${SESSION}`)
    expect([first.status, cacheStatus(first)]).toEqual([
      200,
      expect.stringMatching(/; fwd=miss; stored; detail=primary$/),
    ])
    expect(first.body).toMatchObject({
      _id: SESSION,
      user_id: 12345,
      createdAt: new Date(NOW - 7_200_000).toISOString(),
      updatedAt: updated.toISOString(),
      cache: { kind: 'session', status: 'on-going', observedAt: updated.toISOString() },
      facts: { zoneId: '40004', plate: 'XYZ9' },
    })
    expect(await documents().findOne({ _id: SESSION })).not.toBeNull()
    const session = await side.get(`/v1/sessions/${SESSION}`)
    expect(session.body).toMatchObject({ revision: null, state: {}, zone_id: '40004', status: 'on-going' })
    expect(await updatesOf()).not.toContain(SESSION)
  })

  test('gives way to what the stream knows better', async () => {
    await send(parking(SESSION, SESSION, 'parking_stop', 5, { zone_id: '40004' }))
    await answer(`/v1/events/${SESSION}`, ({ body }) => body.cache.status === 'finished')
  })

  test('has expired where it is older than documents are kept, and is shown all the same', async () => {
    await insert(db.admin, {
      ...{ session_id: 'ancient', event_type: 'parking_stop', status: 'finished' },
      ...{ created_at: '2020-01-01 00:00:00', updated_at: '2020-01-01 01:00:00' },
    })
    const shown = await side.get('/v1/events/ancient')
    expect([shown.status, shown.body.cache.observedAt]).toEqual([200, '2020-01-01T01:00:00.000Z'])
    expect(await documents().findOne({ _id: 'ancient' })).toBeNull()
  })

  test('is asked once, however many ask', async () => {
    const before = await side.metrics()
    const asked = (samples: typeof before) =>
      samples
        .filter(({ name, labels }) => name === 'pm_cache_look_ups_total' && labels.layer === 'primary')
        .reduce((sum, { value }) => sum + value, 0)
    const answers = await Promise.all(Array.from({ length: 100 }, () => side.get('/v1/events/nobody-knows')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]))
    expect(asked(await side.metrics()) - asked(before)).toBe(1)
  })
})
