import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { type EventStream, openEventStream } from '../support/event-stream.ts'
import { readTopic } from '../support/judge.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'
import { openStatusTopic, type StatusTopic, updateOf } from '../support/status-topic.ts'
import { type StreamReader, startReader } from '../support/stream-reader.ts'

const { env, mongodbUri } = sharedServices()
const streams: EventStream[] = []
const readers: StreamReader[] = []

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

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.cut()
  await Promise.all(readers.splice(0).map((reader) => reader.stop()))
})

/** Updates as they stand in the topic, by the partition that they say they are of. */
function byPartition(texts: readonly string[]): string[][] {
  const all: string[][] = []
  for (const text of texts) {
    const { source } = JSON.parse(text) as StatusUpdate
    all[source.partition] ??= []
    all[source.partition]?.push(text)
  }
  return all
}

/** What the topic holds, as another client reads it, by partition in order. */
async function judge(topic: string): Promise<string[]> {
  const texts: string[] = []
  for await (const { value } of readTopic(env.KAFKA_BROKERS, topic, { transactional: true })) texts.push(String(value))
  return texts
}

const wanting = (texts: readonly string[], isWanted: (update: StatusUpdate) => boolean) =>
  texts.filter((text) => isWanted(JSON.parse(text)))

describe('clients that are cut, of a server that ends', () => {
  const PARTITIONS = 5
  const UPDATES = 20_000
  const settings = settingsOf(newRunNames('cut').STATUS_TOPIC)
  let topic: StatusTopic
  let side: ReadSide
  let judged: string[]

  beforeAll(async () => {
    topic = await openStatusTopic(env.KAFKA_BROKERS, settings.STATUS_TOPIC, PARTITIONS)
    side = await startReadSide(settings)
  }, 60_000)
  afterAll(async () => {
    await side?.stop()
    await topic?.[Symbol.asyncDispose]()
  })

  /** In transactions of one to eighty, every tenth of which is aborted. */
  async function write(partition: number): Promise<void> {
    for (let left = UPDATES / PARTITIONS; left > 0; ) {
      const updates = Array.from({ length: Math.min(left, 1 + Math.floor(Math.random() * 80)) }, () =>
        updateOf(partition),
      )
      if (Math.random() < 0.1) await topic.abort(partition, updates.slice(0, 5))
      await topic.commit(partition, updates)
      left -= updates.length
      await sleep(Math.random() * 100)
    }
  }

  async function restartAt(reader: StreamReader, seen: number, end: 'stop' | 'kill9'): Promise<void> {
    await until(() => reader.seen.length >= seen, { timeoutMs: 60_000, what: `${seen} updates are seen` })
    await side[end]()
    side = await startReadSide(settings)
  }

  test('see all that the topic holds, each once, in the order of its partition', async () => {
    const queries = ['all=true', 'zone=Z1&zone=Z2&zone=Z7', 'all=true&session=s7&session=s8&kind=session', '']
    readers.push(...queries.map((query, i) => startReader(() => side.url, query, i < 3 ? 600 : 30)))
    const [all, zones, sessions, changed] = readers as [StreamReader, StreamReader, StreamReader, StreamReader]
    await until(() => readers.every(({ connections }) => connections > 0), { timeoutMs: 10_000, what: 'all are there' })
    const writing = Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => write(partition)))
    await restartAt(all, 3_000, 'kill9')
    await restartAt(all, 8_000, 'stop')
    await restartAt(all, 12_000, 'kill9')
    await writing
    judged = await judge(settings.STATUS_TOPIC)
    for (const reader of readers) reader.mostFrames = Number.POSITIVE_INFINITY
    const isWhole = () => all.seen.length >= UPDATES && changed.seen.length >= (UPDATES * 3) / 4
    await until(isWhole, { timeoutMs: 30_000, what: 'all are seen' })
    await Promise.all(readers.map((reader) => reader.stop()))
    expect(judged).toHaveLength(UPDATES)
    expect(byPartition(all.seen)).toEqual(byPartition(judged))
    expect(byPartition(changed.seen)).toEqual(byPartition(wanting(judged, (update) => update.changed)))
    const ofZones = ({ zone_id, changed }: StatusUpdate) => changed && ['Z1', 'Z2', 'Z7'].includes(zone_id ?? '')
    expect(byPartition(zones.seen)).toEqual(byPartition(wanting(judged, ofZones)))
    const ofSessions = ({ session_id }: StatusUpdate) => ['s7', 's8'].includes(session_id ?? '')
    expect(byPartition(sessions.seen)).toEqual(byPartition(wanting(judged, ofSessions)))
    expect(new Set(readers.flatMap(({ events }) => events))).toEqual(new Set(['dropped'])) // by the stop
    expect(all.connections).toBeGreaterThan(20)
  }, 120_000)

  test('come back from far behind, with other filters, and go on with what is new', async () => {
    const [whole, ofZone, ofCard] = await Promise.all([
      listen(side, 'all=true', '0'),
      listen(side, 'zone=Z3', '0.0.0.0.0'),
      listen(side, 'card=tok_none', '0'),
    ])
    await whole.has('status', UPDATES)
    const ofZ3 = wanting(judged, ({ zone_id, changed }) => zone_id === 'Z3' && changed)
    await ofZone.has('status', ofZ3.length)
    const update = updateOf(2, { zone_id: 'Z3', changed: true })
    await topic.commit(2, [update])
    await Promise.all([whole.has('status', UPDATES + 1), ofZone.has('status', ofZ3.length + 1)])
    const texts = (stream: EventStream) =>
      stream.frames.filter(({ event }) => event === 'status').map(({ data }) => data ?? '')
    expect(byPartition(texts(whole))).toEqual(byPartition([...judged, JSON.stringify(update)]))
    expect(byPartition(texts(ofZone))).toEqual(byPartition([...ofZ3, JSON.stringify(update)]))
    await until(() => ofCard.lastId() !== undefined, { timeoutMs: 10_000, what: 'a position is told' })
    expect(texts(ofCard)).toEqual([])
  }, 60_000)

  test('may come back from anywhere in the topic', async () => {
    const [whole] = [await listen(side, 'all=true', '0')]
    await whole.has('status', UPDATES + 1)
    const frames = whole.frames.filter(({ event }) => event === 'status')
    const all = frames.map(({ data }) => data ?? '')
    const from = [10, 5_000, 12_345, 19_999]
    const others = await Promise.all(from.map((at) => listen(side, 'all=true', frames[at]?.id ?? '')))
    for (const [i, other] of others.entries()) {
      const expected = all.slice((from[i] as number) + 1)
      await other.has('status', expected.length)
      expect(byPartition(other.frames.flatMap(({ event, data }) => (event === 'status' ? (data ?? '') : [])))).toEqual(
        byPartition(expected),
      )
    }
  }, 60_000)

  test('with what is no position are told so', async () => {
    for (const text of ['x.', '1,2', '-1', 'é', '1..2', '%00', 'A', '1'.repeat(14)]) {
      const { status, body, headers } = await listen(side, '', encodeURI(text))
      expect([status, headers['content-type']]).toEqual([400, 'application/problem+json; charset=utf-8'])
      expect(JSON.parse(body)).toMatchObject({ status: 400, detail: 'Last-Event-ID is none that was given here' })
    }
  })

  test('with a position beyond the end begin now, and are told so', async () => {
    const far = ['zzzzzzzz', '0.0.0.0.0.0.1', '0.zzzzz']
    const ahead = await Promise.all(far.map((id) => listen(side, 'all=true', id)))
    for (const stream of ahead) await stream.has('reset', 1)
    await topic.commit(1, [updateOf(1)])
    for (const stream of ahead) {
      await stream.has('status', 1)
      expect(stream.frames.map(({ event }) => event).filter((event) => event !== null)).toEqual(['reset', 'status'])
    }
  }, 30_000)
})

describe('a topic that was made anew', () => {
  test('ends a server that has read the old one; what comes back to the next one is reset', async () => {
    const settings = settingsOf(newRunNames('anew').STATUS_TOPIC)
    await using topic = await openStatusTopic(env.KAFKA_BROKERS, settings.STATUS_TOPIC, 2)
    await using first = await startReadSide(settings)
    const before = await listen(first)
    await topic.commit(
      0,
      Array.from({ length: 50 }, () => updateOf(0, { changed: true })),
    )
    await before.has('status', 50)
    await topic.makeAnew()
    expect(await first.ended).toBe(1)
    expect(first.log()).toContain('it was made anew')
    await topic.commit(0, [updateOf(0, { changed: true })])
    await using second = await startReadSide(settings)
    const after = await listen(second, '', before.lastId())
    await after.has('reset', 1)
    await topic.commit(0, [updateOf(0, { changed: true })])
    await after.has('status', 1)
    expect(after.data('status')).toHaveLength(1)
    await second.stop()
  }, 60_000)
})
