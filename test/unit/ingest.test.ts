import { expect, test } from '@jest/globals'
import type { KafkaMessage, Producer } from 'kafkajs'
import { createDecoder } from '../../src/decode/decoder.ts'
import { createSealer } from '../../src/documents/encryption.ts'
import type { DocumentStore } from '../../src/documents/store.ts'
import { createIngest } from '../../src/ingest.ts'
import { createCards } from '../../src/normalize/card-data.ts'
import { createMetrics } from '../../src/operate/metrics.ts'
import type { Outages } from '../../src/operate/outages.ts'
import { readSettings } from '../../src/settings.ts'
import { unpack } from '../../src/stream/packs.ts'
import type { Turn } from '../../src/stream/turns.ts'
import { createMemoryStore } from '../support/memory-store.ts'

const settings = readSettings({ KAFKA_BROKERS: 'localhost:9092', MONGODB_URI: 'mongodb://localhost' }, {})
const [events = ''] = settings.topics.events

/** Ingest with everything around it in memory, and a store that refuses some ids. */
function ingestRefusing(...ids: string[]) {
  const stored = createMemoryStore()
  const writes: string[][] = []
  const store: DocumentStore = {
    read: stored.read,
    async write(documents, existing) {
      const all = typeof documents === 'function' ? documents() : documents
      writes.push(all.map(({ _id }) => _id))
      const result = await stored.write(
        all.filter(({ _id }) => !ids.includes(_id)),
        existing,
      )
      for (const { _id } of all) if (ids.includes(_id)) result.refused.set(_id, 'too deep')
      return result
    },
  }
  const sent: {
    topic: string
    messages: { value: Buffer | null; partition: number; headers?: Record<string, string> }[]
  }[] = []
  const producer = {
    async send(one: (typeof sent)[0]) {
      sent.push(one)
      return one.messages.map(({ partition }) => ({ partition }))
    },
  } as unknown as Producer
  const metrics = createMetrics()
  const outages: Outages = { waitOut: (_, __, work) => work() }
  const ingest = createIngest({
    ...{
      settings,
      store,
      prices: createMemoryStore(),
      producer,
      outages,
      lanes: 12,
      tracing: null,
      deadLetterPartitions: 1,
      metrics,
    },
    ...{
      decoder: createDecoder(null),
      cards: createCards({ tokenKey: null, exemptPaths: [] }),
      zone: null,
      seal: createSealer([], []),
    },
  })
  /** What became of the records, by partition. */
  const outcomes = async () => {
    const byPartition: Record<string, Record<string, number>> = {}
    for (const { labels, value } of (await metrics.inputRecords.get()).values) {
      const { partition = '', outcome = '' } = labels
      if (value > 0) byPartition[partition] = { ...byPartition[partition], [outcome]: value }
    }
    return byPartition
  }
  return { ingest, sent, writes, outcomes, metrics }
}

/** An id that ends with `†` is that of a tombstone, one with `…` of a record that has long expired. */
function batchOf(partition: number, eventIds: string[]) {
  const done: string[] = []
  const signal = new AbortController().signal
  const turn: Turn = { topic: events, partition, signal, done: (offset) => done.push(offset), pauseUntil() {} }
  const messages = eventIds.map((id, offset) => {
    const timestamp = id.endsWith('…') ? '2001-01-01' : undefined
    const value = { event_id: id, event_type: 'parking_started', session_id: `s-${id}`, status: 'active', timestamp }
    const isTombstone = id.endsWith('†')
    return {
      ...{ offset: String(offset), timestamp: String(Date.now()), key: Buffer.from(id.replace('†', '')) },
      value: isTombstone ? null : Buffer.from(id === 'broken' ? '{' : JSON.stringify(value)),
    }
  })
  return { turn, done, messages: messages as unknown as KafkaMessage[], lastOffset: String(eventIds.length - 1) }
}

test('partitions that come together are one write and one send, and each has its own offsets done', async () => {
  const { ingest, sent, writes } = ingestRefusing()
  const batches = [batchOf(0, ['a', 'b']), batchOf(1, ['c'])]
  await Promise.all(batches.map(({ messages, lastOffset, turn }) => ingest(messages, lastOffset, turn)))
  expect([writes, sent.length, batches.map(({ done }) => done)]).toEqual([[['a', 'b', 'c']], 1, [['1'], ['0']]])
})

test('a record that is refused announces nothing; one of another partition with the same offset does', async () => {
  const { ingest, sent } = ingestRefusing('refused')
  const batches = [batchOf(0, ['refused']), batchOf(1, ['stored'])]
  await Promise.all(batches.map(({ messages, lastOffset, turn }) => ingest(messages, lastOffset, turn)))
  const [observations, letters] = sent
  const announced = observations?.messages.flatMap(({ value }) => unpack(value) ?? [])
  expect(announced?.map(({ event_id }) => event_id)).toEqual(['stored'])
  expect([letters?.topic, letters?.messages.length]).toEqual([settings.topics.deadLetters, 1])
})

test('every record is accounted for once, with its partition', async () => {
  const { ingest, outcomes } = ingestRefusing('refused')
  const batches = [
    batchOf(0, ['a', 'b', 'a', 'refused', 'broken', 'old…', 'b†']),
    batchOf(1, ['a', 'c', 'refused', 'd†', 'd†']),
  ]
  await Promise.all(batches.map(({ messages, lastOffset, turn }) => ingest(messages, lastOffset, turn)))
  expect(await outcomes()).toEqual({
    0: { stored: 2, unchanged: 1, dead_letter: 2, expired: 1, tombstone: 1 },
    1: { stored: 1, unchanged: 1, dead_letter: 1, tombstone: 2 },
  })
})

test('a record that comes again is unchanged', async () => {
  const { ingest, outcomes } = ingestRefusing()
  const { messages, lastOffset, turn } = batchOf(0, ['a', 'b'])
  await ingest(messages, lastOffset, turn)
  await ingest(messages, lastOffset, turn)
  expect(await outcomes()).toEqual({ 0: { stored: 2, unchanged: 2 } })
})

test('the age of records is told by their Kafka timestamp, to the metrics and with the packs of each partition', async () => {
  const { ingest, sent, metrics } = ingestRefusing()
  const since = Date.now() - 20_000
  const batches = [batchOf(0, ['a', 'b']), batchOf(1, ['c'])]
  for (const message of batches[0]?.messages ?? []) message.timestamp = String(since)
  await Promise.all(batches.map(({ messages, lastOffset, turn }) => ingest(messages, lastOffset, turn)))
  const page = await metrics.registry.metrics()
  expect(page).toContain('pm_document_age_seconds_bucket{le="10"} 1')
  expect(page).toContain('pm_document_age_seconds_bucket{le="30"} 3')
  const [observations] = sent
  const ages = observations?.messages.map(({ value, headers }) => [
    JSON.parse(String(value))[1],
    Number(headers?.since),
  ])
  for (const [partition, told] of ages ?? []) expect(told === since).toBe(partition === 0)
})

test('a record that is accounted for counts as read too, also where its partition was taken away meanwhile', async () => {
  const { ingest, outcomes, metrics } = ingestRefusing()
  const { messages, lastOffset, turn } = batchOf(0, ['a', 'b'])
  const taken = {
    ...turn,
    done: () => {
      throw new TypeError('not assigned')
    },
  }
  await expect(ingest(messages, lastOffset, taken)).rejects.toThrow('not assigned')
  expect(await outcomes()).toEqual({ 0: { stored: 2 } })
  expect((await metrics.recordsConsumed.get()).values).toMatchObject([{ value: 2 }])
})
