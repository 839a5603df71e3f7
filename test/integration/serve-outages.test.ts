import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { total } from '../../local/scrape.ts'
import type { Controllable, Services } from '../../local/services.ts'
import type { EventView } from '../../src/contract/api.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { type Database, database } from '../support/primary.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { createReadClient, Memory, type ReadAnswer } from '../support/read-client.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { freshServices, until } from '../support/services.ts'

/** Readers at work all the time, while each store in turn is killed, frozen and stopped, and comes back. */
const OUTAGE_MS = 8_000
const RECOVERY_MS = 15_000
/** Of a look-up that a store fails: its time limit, and what a busy machine adds. */
const FAILS_IN_MS = 3_000
/** By then the breaker before the store is open. */
const OPEN_MS = 4_000
const MINUTE = 60_000
const HOT = 10
const COLD = 5_000
const ROWS = 5_000

const names = newRunNames('serve-outages')
const TABLE = `CREATE TABLE pm_parking_event (
  session_id VARCHAR(64) NOT NULL, event_type VARCHAR(32), status VARCHAR(16), zone_id VARCHAR(32),
  updated_at TIMESTAMP(3) NULL, KEY (session_id))`
const ROWS_OF_TABLE = `INSERT INTO pm_parking_event
  SELECT CONCAT('row-', seq), 'parking_start', 'on-going', '7', NOW(3) - INTERVAL 1 HOUR FROM seq_0_to_${ROWS - 1}`

let services: Services
let db: Database
let processor: Processor
let side: ReadSide
let mongo: MongoClient
let client: ReturnType<typeof createReadClient>
let load: Load
const wrong: string[] = []
const documents = () => mongo.db(names.MONGODB_DATABASE).collection<CacheDocument>(names.MONGODB_COLLECTION)

beforeAll(async () => {
  services = await freshServices({ mysql: true })
  db = await database(services.mysqlAdmin as string, TABLE, ROWS_OF_TABLE)
  mongo = new MongoClient(services.env.MONGODB_URI)
  const settings = { ...services.env, ...names }
  processor = await startProcessor(settings)
  side = await startReadSide({ ...settings, PRIMARY_MYSQL_URI: db.uri })
  client = createReadClient(side.url, 50)
  for (let i = 0; i < COLD; i += 500) await send(...Array.from({ length: 500 }, (_, k) => parking(`cold-${i + k}`)))
  await send(...Array.from({ length: HOT }, (_, i) => parking(`hot-${i}`)))
  await until(async () => (await documents().countDocuments()) === COLD + HOT, {
    timeoutMs: MINUTE,
    what: 'all is stored',
  })
  load = startLoad()
}, 3 * MINUTE)

afterAll(async () => {
  await load?.stop()
  client?.[Symbol.dispose]()
  await side?.stop()
  await processor?.stop()
  await mongo?.close()
  await db?.[Symbol.asyncDispose]()
  await services?.[Symbol.asyncDispose]()
}, MINUTE)

let clock = Date.now() - 3_600_000
const parking = (id: string) => ({
  ...{ event_id: id, event_type: 'parking_extend', zone_id: '10001', status: 'success' },
  ...{ timestamp: new Date(clock++).toISOString(), session_data: { session_id: `s-${id}` } },
})

const send = (...records: { event_id: string }[]) =>
  produce(
    services.env.KAFKA_BROKERS,
    names.EVENTS_TOPICS,
    records.map((value) => ({ partition: 0, key: value.event_id, value: JSON.stringify(value) })),
  )

/** What is asked for all the time: kept in memory, only in MongoDB, known to nobody, only in the primary; and zones. */
type Class = 'hot' | 'cold' | 'unknown' | 'row' | 'zones'
interface Asked extends ReadAnswer {
  of: Class
  path: string
  at: number
}

interface Load {
  /** Those that were asked since, and are answered. */
  since(at: number, of: Class): Asked[]
  /** Those that were asked and answered within this time. */
  between(from: number, to: number, of: Class): Asked[]
  stop(): Promise<void>
}

function startLoad(): Load {
  const asked: Asked[] = []
  const next = { cold: 0, unknown: 0, row: 0 }
  let isStopped = false
  const memory = new Memory(wrong)
  const pathOf: Record<Class, () => string> = {
    hot: () => `/v1/events/hot-${Math.floor(Math.random() * HOT)}`,
    cold: () => `/v1/events/cold-${next.cold++ % COLD}`,
    unknown: () => `/v1/events/nobody-${next.unknown++}`,
    row: () => `/v1/events/row-${next.row++ % ROWS}`,
    zones: () => '/v1/zones',
  }
  const loop = async (of: Class, pauseMs: number) => {
    while (!isStopped) {
      const at = Date.now()
      const path = pathOf[of]()
      const answer = await client.get(path)
      asked.push({ ...answer, of, path, at })
      if (of === 'hot' && answer.status === 200) memory.see(answer.body, `${path} (${answer.cacheStatus})`)
      await delay(pauseMs)
    }
  }
  const loops = [loop('hot', 5), loop('hot', 5), loop('cold', 30), loop('cold', 30), loop('unknown', 30)]
  loops.push(loop('unknown', 30), loop('row', 30), loop('row', 30), loop('zones', 100))
  return {
    since: (at, of) => asked.filter((one) => one.of === of && one.at >= at),
    between: (from, to, of) => asked.filter((one) => one.of === of && one.at >= from && one.at + one.took < to),
    async stop() {
      isStopped = true
      await Promise.all(loops)
    },
  }
}

const GOING = { killed: 'kill', frozen: 'pause', stopped: 'stop' } as const
const COMING = { killed: 'start', frozen: 'resume', stopped: 'start' } as const
type Way = keyof typeof GOING
const WAYS: Way[] = ['killed', 'frozen', 'stopped']

/** Takes services away, looks at what is answered meanwhile, and gives them back. The time at which they were away. */
async function without(stores: Controllable[], way: Way, meanwhile: () => Promise<void>): Promise<number> {
  await Promise.all(stores.map((store) => store[GOING[way]]()))
  const at = Date.now()
  try {
    await Promise.all([meanwhile(), delay(OUTAGE_MS)])
  } finally {
    await Promise.all(stores.map((store) => store[COMING[way]]()))
  }
  return at
}

const statuses = (asked: Asked[]) => [...new Set(asked.map(({ status }) => status))].sort()
const slowest = (asked: Asked[]) => Math.max(...asked.map(({ took }) => took))
const median = (asked: Asked[]) => asked.map(({ took }) => took).sort((a, b) => a - b)[asked.length >> 1] ?? 0
const readiness = async () => (await side.get('/readyz')).body.conditions
const asksOf = async (layer: string) => total(await side.metrics(), 'pm_cache_look_ups_total', { layer })

/** Everything is answered as before, without a restart. */
async function recovers(): Promise<void> {
  const waiting = { timeoutMs: RECOVERY_MS, everyMs: 100 }
  const back = Date.now()
  const answers = async (of: Class, status: number) => {
    const last = load.since(Date.now() - 500, of)
    return last.length > 2 && String(statuses(last)) === String(status)
  }
  for (const [kind, status] of [
    ['hot', 200],
    ['cold', 200],
    ['unknown', 404],
    ['row', 200],
  ] as const) {
    await until(() => answers(kind, status), { ...waiting, what: `${kind} is answered with ${status} only` })
  }
  await until(async () => (await side.get('/readyz')).status === 200, { ...waiting, what: 'it is ready' })
  const isUp = async () => (await side.get('/v1/cache')).body.mongodb === 'up'
  await until(isUp, { ...waiting, what: 'changes are told' })
  process.stdout.write(`all is as before after ${Date.now() - back} ms\n`)
}

/** What is kept and what is stored is the same, of these ids. */
async function isAsStored(ids: string[]): Promise<boolean> {
  for (const id of ids) {
    const stored = await documents().findOne({ _id: id })
    const { status, body } = await client.get(`/v1/events/${id}`)
    const shown = status === 200 ? (body as EventView).cache.observedAt : status
    if (shown !== (stored?.cache.observedAt.toISOString() ?? 404)) return false
  }
  return true
}

const hotIds = Array.from({ length: HOT }, (_, i) => `hot-${i}`)

describe.each(WAYS)('without the primary store and Kafka, which are %s', (way) => {
  test(
    'what is in memory and in MongoDB is answered, the rest is an error, and zones are stale',
    async () => {
      const before = Date.now()
      const stores = [services.mysql as Controllable, services.kafka]
      const away = await without(stores, way, async () => {
        await delay(OUTAGE_MS - 500)
        if (way === 'frozen') return // a broker that is silent may be slow for longer than this
        expect(await readiness()).toMatchObject({ kafka: { ok: false }, mongodb: { ok: true } })
        expect(total(await side.metrics(), 'pm_dependency_up', { dependency: 'kafka' })).toBe(0)
        const last = load.since(Date.now() - 1_000, 'zones')
        expect(last.map(({ cacheStatus }) => cacheStatus).join()).toMatch(/ttl=-\d+; detail=stale/)
      })
      const end = Date.now()
      const during = (of: Class, from = away) => load.between(from, away + OUTAGE_MS - 100, of)
      for (const kind of ['hot', 'cold', 'zones'] as const)
        expect([kind, statuses(during(kind))]).toEqual([kind, [200]])
      for (const kind of ['unknown', 'row'] as const) {
        // MySQL that stops ends what it has in hand.
        expect([kind, statuses(during(kind, away + 200))]).toEqual([kind, [503]])
        expect(slowest(during(kind))).toBeLessThan(FAILS_IN_MS)
      }
      // One of these tries now and then.
      expect(median(during('unknown', away + OPEN_MS))).toBeLessThan(100)
      expect(load.since(before, 'hot').filter(({ at }) => at < end && at > away).length).toBeGreaterThan(100)
      await recovers()
      expect(wrong).toEqual([])
    },
    2 * MINUTE,
  )
})

describe.each(WAYS)('without MongoDB, which is %s', (way) => {
  test(
    'what is in memory is given as stale, the rest is an error, and the primary is not asked',
    async () => {
      const soon = `soon-${way}`
      expect((await client.get(`/v1/events/${soon}`)).status).toBe(404)
      let asks = 0
      const away = await without([services.mongodb], way, async () => {
        await delay(500)
        asks = await asksOf('primary')
        await send(parking(soon), ...hotIds.map(parking))
        await delay(OUTAGE_MS - 2_000)
        expect(await asksOf('primary')).toBe(asks)
        expect(await readiness()).toMatchObject({ mongodb: { ok: false } })
        expect((await side.get('/v1/cache')).body.mongodb).toBe('down')
      })
      const during = (of: Class, from = away) => load.between(from, away + OUTAGE_MS - 100, of)
      expect(statuses(during('hot'))).toEqual([200])
      const stale = during('hot', away + OPEN_MS)
      expect(new Set(stale.map(({ cacheStatus }) => cacheStatus.replace(/ttl=-\d+/, 'ttl=-')))).toEqual(
        new Set(['pm-parking-events; hit; ttl=-; detail=stale']),
      )
      for (const kind of ['cold', 'unknown', 'row'] as const) {
        expect([kind, statuses(during(kind, away + 200))]).toEqual([kind, [503]])
        expect(slowest(during(kind))).toBeLessThan(FAILS_IN_MS)
        expect(median(during(kind, away + OPEN_MS))).toBeLessThan(100)
      }
      expect(statuses(during('zones'))).toEqual([200])
      await recovers()
      const waiting = { timeoutMs: RECOVERY_MS, what: 'what came meanwhile is stored' }
      await until(async () => (await documents().findOne({ _id: soon })) !== null, waiting)
      await until(() => isAsStored([soon, ...hotIds]), { timeoutMs: 3_000, what: 'and is shown' })
      expect(wrong).toEqual([])
    },
    2 * MINUTE,
  )
})
