import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { memoryOf } from '../../local/proc.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { type EventStream, openEventStream } from '../support/event-stream.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'
import { openStatusTopic, type StatusTopic, updateOf } from '../support/status-topic.ts'
import { runStreamLoad } from '../support/stream-load.ts'

/** What a server can bear: clients that do not read, and many. */
const { env, mongodbUri } = sharedServices()
const streams: EventStream[] = []

const settingsOf = (topic: string) => ({
  ...{ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri },
  ...{ ...newRunNames('updates'), STATUS_TOPIC: topic },
})

async function listen(side: ReadSide, query = '', lastEventId?: string): Promise<EventStream> {
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const stream = await openEventStream(`${side.url}/v1/status-updates?${query}`, { headers })
  streams.push(stream)
  return stream
}

afterEach(() => {
  for (const stream of streams.splice(0)) stream.cut()
})

const ninety = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length * 0.9)] ?? 0

describe('a client that does not read', () => {
  const PARTITIONS = 3
  const MIB = 1_024 * 1_024
  const settings = settingsOf(newRunNames('slow').STATUS_TOPIC)
  let topic: StatusTopic
  let side: ReadSide
  const large = (partition: number) => updateOf(partition, { event_type: 'x'.repeat(60_000), changed: true })

  beforeAll(async () => {
    topic = await openStatusTopic(env.KAFKA_BROKERS, settings.STATUS_TOPIC, PARTITIONS)
    side = await startReadSide(settings)
  }, 60_000)
  afterAll(async () => {
    await side?.[Symbol.asyncDispose]()
    await topic?.[Symbol.asyncDispose]()
  })

  test('is dropped, is not kept for, holds up nobody, and may come back', async () => {
    const late: number[] = []
    const watched = await openEventStream(`${side.url}/v1/status-updates`, {
      onFrame({ data, at }) {
        if (data !== null) late.push(at - Date.parse(JSON.parse(data).occurred_at))
      },
    })
    streams.push(watched)
    const commit = (count: number, i: number) =>
      topic.commit(
        i % PARTITIONS,
        Array.from({ length: count }, () => large(i % PARTITIONS)),
      )
    // How late updates are on this machine, as busy as it is, while all clients read.
    for (let i = 0; i < 30; i++) await commit(20, i)
    await watched.has('status', 600)
    const usual = ninety(late.splice(0))
    const slow = await Promise.all(Array.from({ length: 20 }, () => listen(side)))
    for (const stream of slow) stream.pause()
    const before = memoryOf(side.pid).VmRSS
    let most = 0
    for (let i = 0; i < 90; i++) {
      await commit(20, i)
      most = Math.max(most, memoryOf(side.pid).VmRSS)
    }
    await watched.has('status', 2_400)
    const drops = async () => {
      const samples = await side.metrics()
      return samples.find(({ name, labels }) => name === 'pm_stream_drops_total' && labels.reason === 'slow')?.value
    }
    await until(async () => (await drops()) === 20, { timeoutMs: 40_000, what: 'all are dropped' })
    expect((most - before) * MIB).toBeLessThan(300 * MIB)
    expect(ninety(late)).toBeLessThan(Math.max(1_000, 3 * usual))

    const [one] = slow as [EventStream]
    one.resume()
    await one.ended
    const seen = one.data('status').length
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThan(1_800)
    const back = await listen(side, '', one.lastId())
    await back.has('status', 1_800 - seen, 60_000)
    const ids = [one, back].flatMap((stream) => stream.data('status').map((update) => (update as StatusUpdate).id))
    expect([...ids].sort()).toEqual(
      watched
        .data('status')
        .slice(600)
        .map((update) => (update as StatusUpdate).id)
        .sort(),
    )
  }, 120_000)

  test('does not hold up a shutdown, which all others are told of within a second', async () => {
    const readers = await Promise.all(Array.from({ length: 5 }, () => listen(side)))
    const [stuck, behind] = await Promise.all([listen(side), listen(side, '', '0')])
    stuck.pause()
    behind.pause()
    await topic.commit(
      0,
      Array.from({ length: 100 }, () => large(0)),
    )
    await Promise.all(readers.map((stream) => stream.has('status', 100)))
    const began = performance.now()
    const stopping = side.stop()
    await Promise.all(readers.map(({ ended }) => ended))
    expect(performance.now() - began).toBeLessThan(1_000)
    for (const stream of readers)
      expect(stream.data('dropped')).toEqual([{ reason: 'The server stops; come back with Last-Event-ID' }])
    await stopping // throws where its exit code is not 0
    expect(performance.now() - began).toBeLessThan(4_000)
  }, 60_000)
})

describe('many clients', () => {
  test('each get what they want, once, in order, and nobody waits long', async () => {
    const settings = settingsOf(newRunNames('many').STATUS_TOPIC)
    await using topic = await openStatusTopic(env.KAFKA_BROKERS, settings.STATUS_TOPIC)
    await using server = await startReadSide(settings)
    const report = await runStreamLoad({
      ...{ topic, server, clients: 500, wide: 0.2 },
      ...{ transactions: 60, updatesOfEach: 10, everyMs: 50 },
    })
    expect([report.wrong, report.reconnects]).toEqual([[], 0])
    expect(report.kibPerClient).toBeLessThan(100)
    expect(report.health.p50).toBeLessThan(250)
    await server.stop()
  }, 60_000)
})
