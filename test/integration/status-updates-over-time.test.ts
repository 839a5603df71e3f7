import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Services } from '../../local/services.ts'
import type { EventView } from '../../src/contract/api.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { makeKey } from '../../src/serve/access/make-key.ts'
import { type EventStream, openEventStream } from '../support/event-stream.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { freshServices, sharedServices, until } from '../support/services.ts'
import { openStatusTopic, type StatusTopic, updateOf } from '../support/status-topic.ts'

/** What takes its time: heartbeats, credentials that end, outages; and what the processor and the read side do together. */
const { env, mongodbUri } = sharedServices()
const BEAT_MS = 15_000

const listen = (side: ReadSide, query = '', headers: Record<string, string> = {}): Promise<EventStream> =>
  openEventStream(`${side.url}/v1/status-updates?${query}`, { headers })
const beatsOf = ({ frames }: EventStream) => frames.filter(({ comments }) => comments.length > 0)
const changed = { changed: true }

describe('a stream, as time goes by', () => {
  const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...newRunNames('time') }
  const SCOPES = ['status:read', 'cards:read'] as const
  const [good, withdrawn, narrowed, elsewhere] = ['good', 'withdrawn', 'narrowed', 'elsewhere'].map((id) =>
    makeKey(id, SCOPES, null, null),
  ) as [Key, Key, Key, Key]
  type Key = ReturnType<typeof makeKey>
  let topic: StatusTopic
  let side: ReadSide
  let directory: string
  const bearer = ({ key }: Key) => ({ authorization: `Bearer ${key}` })

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stream-keys-'))
    topic = await openStatusTopic(env.KAFKA_BROKERS, settings.STATUS_TOPIC)
  }, 60_000)
  afterAll(async () => {
    await side?.stop()
    await topic?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  test('tells its position every fifteen seconds, and ends within that when rights do', async () => {
    const file = join(directory, 'keys.json')
    const write = (keys: unknown[]) => writeFile(file, JSON.stringify({ keys }))
    const expiring = makeKey('expiring', SCOPES, null, new Date(Date.now() + 20_000).toISOString())
    const all = [good, withdrawn, narrowed, elsewhere, expiring]
    await write(all.map(({ entry }) => entry))
    side = await startReadSide({ ...settings, AUTH_KEYS_FILE: file })
    const [stays, goes, loses, moves, expires] = (await Promise.all(
      all.map((key) => listen(side, '', bearer(key))),
    )) as [EventStream, EventStream, EventStream, EventStream, EventStream]
    for (const { status } of [stays, goes, loses, moves, expires]) expect(status).toBe(200)
    await until(() => beatsOf(stays).length === 1, { timeoutMs: 5_000, what: 'a position is told at once' })
    await topic.commit(3, [updateOf(3, changed)])
    await topic.abort(4, [updateOf(4, changed)])
    await stays.has('status', 1)
    const began = Date.now()
    await write([
      good.entry,
      { ...narrowed.entry, scopes: ['status:read'] },
      { ...elsewhere.entry, zones: ['Z1'] },
      expiring.entry,
    ])
    await Promise.all([goes.ended, loses.ended, moves.ended])
    expect(Date.now() - began).toBeLessThan(BEAT_MS + 5_000)
    for (const stream of [goes, loses, moves])
      expect(stream.data('dropped')).toEqual([{ reason: expect.stringContaining('credentials') }])

    await until(() => beatsOf(stays).length >= 3, { timeoutMs: 2 * BEAT_MS, what: 'it beats again' })
    const [first, second, third] = beatsOf(stays)
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeLessThan(BEAT_MS + 3_000)
    expect([first?.data, second?.data]).toEqual([null, null])
    // A record and its marker in one partition, and what was aborted in the other: positions move over all of it.
    expect(second?.id).toBe('0.0.0.2.2')
    stays.cut()
    await topic.commit(3, [updateOf(3, changed)])
    await topic.commit(4, [updateOf(4, changed)])
    const back = await listen(side, '', { ...bearer(good), 'last-event-id': second?.id ?? '' })
    await back.has('status', 2)
    expect(back.data('status')).toHaveLength(2)

    await expires.ended
    expect(expires.data('dropped')).toHaveLength(1)
    expect((await listen(side, '', bearer(expiring))).status).toBe(401)
    back.cut()
  }, 90_000)
})

describe('partitions that are added', () => {
  test('are heard of, and what was known before is still found', async () => {
    const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...newRunNames('grow') }
    await using topic = await openStatusTopic(env.KAFKA_BROKERS, settings.STATUS_TOPIC, 1)
    await using side = await startReadSide(settings)
    const stream = await listen(side)
    await topic.commit(0, [updateOf(0, { ...changed, session_id: 'before' })])
    await stream.has('status', 1)
    await topic.grow(4)
    await topic.commit(3, [updateOf(3, { ...changed, session_id: 'after' })])
    await stream.has('status', 2, 30_000)
    for (const id of ['before', 'after']) {
      const { status, body } = await side.get(`/v1/sessions/${id}`)
      expect([status, body.revision]).toEqual([200, 1])
    }
    const whole = await listen(side, '', { 'last-event-id': '0' })
    await whole.has('status', 2)
    for (const one of [stream, whole]) one.cut()
    await side.stop()
  }, 60_000)
})

describe('while Kafka is away', () => {
  let services: Services
  beforeAll(async () => {
    services = await freshServices()
  }, 120_000)
  afterAll(async () => services?.[Symbol.asyncDispose]())

  test('streams stay, and nothing is missing when it is back', async () => {
    const settings = { ...services.env, ...newRunNames('away') }
    await using topic = await openStatusTopic(services.env.KAFKA_BROKERS, settings.STATUS_TOPIC)
    await using side = await startReadSide(settings)
    const some = (count: number, partition: number) => Array.from({ length: count }, () => updateOf(partition, changed))
    const sent: StatusUpdate[] = []
    const commit = async (count: number, partition: number) => {
      const updates = some(count, partition)
      await topic.commit(partition, updates)
      sent.push(...updates)
    }
    const early = await listen(side)
    await commit(3_000, 1)
    await early.has('status', 3_000)
    const stream = await listen(side)
    await commit(100, 2)
    await stream.has('status', 100)
    const beats = beatsOf(stream).length
    await services.kafka.stop()
    // Comes while Kafka is away, and misses more than memory holds.
    const behind = await listen(side, '', { 'last-event-id': '0' })
    await until(() => beatsOf(stream).length > beats && beatsOf(behind).length > 0, {
      ...{ timeoutMs: 2 * BEAT_MS, what: 'they beat' },
    })
    await services.kafka.start()
    await commit(100, 3)
    await Promise.all([stream.has('status', 200, 60_000), behind.has('status', 3_200, 60_000)])
    const ids = (one: EventStream) => one.data('status').map((update) => (update as StatusUpdate).id)
    expect(ids(behind).sort()).toEqual(sent.map(({ id }) => id).sort())
    expect(ids(stream)).toEqual(sent.slice(3_000).map(({ id }) => id))
    await side.stop()
  }, 120_000)
})

describe('who has received an update', () => {
  const names = newRunNames('order')
  const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...names }
  let processor: Processor
  let side: ReadSide
  beforeAll(async () => {
    processor = await startProcessor(settings)
    side = await startReadSide(settings)
  }, 120_000)
  afterAll(async () => {
    await side?.stop()
    await processor?.stop()
    await using progress = await watchProgress(env.KAFKA_BROKERS, names)
    await progress.cleanUp()
  }, 60_000)

  test('gets an event at least as new', async () => {
    const [EVENTS, ROUNDS] = [25, 80]
    const older: string[] = []
    let asked = 0
    const asking: Promise<void>[] = []
    const check = async ({ event_id, occurred_at, session_id }: StatusUpdate) => {
      const { status, body } = (await side.get(`/v1/events/${event_id}`)) as { status: number; body: EventView }
      asked++
      const at = status === 200 ? String(body.cache.observedAt) : `status ${status}`
      if (status !== 200 || at < occurred_at) older.push(`${session_id}: ${at} for ${occurred_at}`)
    }
    const stream = await openEventStream(`${side.url}/v1/status-updates?all=true`, {
      onFrame: ({ event, data }) => event === 'status' && asking.push(check(JSON.parse(data ?? ''))),
    })
    const now = Date.now() - 3_600_000
    for (let round = 0; round < ROUNDS; round++) {
      const records = Array.from({ length: EVENTS }, (_, n) => ({
        ...{ event_id: `o${n}`, event_type: 'parking_extend', card: 'tok_1', zone_id: '10001' },
        ...{ timestamp: new Date(now + 1_000 * round).toISOString(), status: 'success' },
        session_data: { session_id: `so${n}`, round },
      }))
      const messages = records.map((value, n) => ({
        partition: n % 3,
        key: value.event_id,
        value: JSON.stringify(value),
      }))
      await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, messages)
      if (round % 10 === 0) await sleep(300)
    }
    await stream.has('status', EVENTS * ROUNDS, 60_000)
    await Promise.all(asking)
    stream.cut()
    expect([asked, older]).toEqual([EVENTS * ROUNDS, []])
  }, 120_000)
})
