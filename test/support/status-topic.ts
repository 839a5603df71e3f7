import { randomUUID } from 'node:crypto'
import type { Kafka, Producer, Transaction } from 'kafkajs'
import { quietKafka } from '../../local/quiet-kafka.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { newStatusTopic } from './new-topic.ts'

/** A status topic that a test fills itself, in transactions, as the lanes of a processor do. */
export interface StatusTopic extends AsyncDisposable {
  readonly partitions: number
  /** Epoch ms just before they were committed. */
  commit(partition: number, updates: readonly StatusUpdate[]): Promise<number>
  /** Writes them, and takes them back. */
  abort(partition: number, updates: readonly StatusUpdate[]): Promise<void>
  /** Deletes it, and makes it anew, empty. */
  makeAnew(): Promise<void>
  /** Adds partitions, up to so many. */
  grow(partitions: number): Promise<void>
}

let made = 0

/** An update unlike all others; `source` tells its partition. */
export function updateOf(partition: number, fields: Partial<StatusUpdate> = {}): StatusUpdate {
  const number = made++
  const event_id = `e${number}`
  const occurred_at = new Date().toISOString()
  return {
    ...{ id: randomUUID(), event_id, session_id: `s${number % 1_000}`, card: 'tok_0123456789abcdef0123456789abcdef' },
    ...{ zone_id: `Z${number % 50}`, kind: 'session', event_type: 'parking_start', previous_status: null },
    ...{ status: 'on-going', changed: number % 4 > 0, http_status: 200, occurred_at, ends_at: null, revision: 1 },
    state: { session: { status: 'on-going', occurred_at, event_id } },
    source: { topic: 'parkmobile.events', partition, offset: String(number) },
    ...fields,
  }
}

export async function openStatusTopic(brokers: string, topic: string, partitions = 12): Promise<StatusTopic> {
  const kafka = quietKafka(brokers, 'status-topic')
  const admin = kafka.admin()
  await admin.connect()
  await newStatusTopic(admin, topic, partitions)
  const producers = new Map<number, Promise<Producer>>()
  const begin = async (partition: number, updates: readonly StatusUpdate[]): Promise<Transaction> => {
    const producer = producers.get(partition) ?? openProducer(kafka, `${topic}:${partition}`)
    producers.set(partition, producer)
    const transaction = await (await producer).transaction()
    const messages = updates.map((update) => ({
      ...{ partition, key: update.session_id ?? update.event_id, value: JSON.stringify(update) },
    }))
    const mostOfSend = Math.max(1, Math.floor(MOST_BYTES / Math.max(...messages.map(({ value }) => value.length))))
    for (let at = 0; at < messages.length; at += mostOfSend)
      await transaction.send({ topic, messages: messages.slice(at, at + mostOfSend) })
    return transaction
  }
  return {
    partitions,
    async commit(partition, updates) {
      const transaction = await begin(partition, updates)
      const at = Date.now()
      await transaction.commit()
      return at
    },
    async abort(partition, updates) {
      await (await begin(partition, updates)).abort()
    },
    async makeAnew() {
      await admin.deleteTopics({ topics: [topic] })
      await newStatusTopic(admin, topic, partitions)
    },
    async grow(count) {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
    },
    async [Symbol.asyncDispose]() {
      for (const producer of producers.values()) await (await producer).disconnect()
      await admin.deleteTopics({ topics: [topic] })
      await admin.disconnect()
    },
  }
}

/** Of a send, which must fit into a batch. */
const MOST_BYTES = 500_000

async function openProducer(kafka: Kafka, transactionalId: string): Promise<Producer> {
  const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, retry: { retries: 20 } })
  await producer.connect()
  return producer
}
