import { type Admin, Kafka, logLevel, type Message, type Producer } from 'kafkajs'
import { until } from '../local/until.ts'
import { partitionOf } from '../src/stream/partitions.ts'
import type { TrafficRecord } from './event.ts'

/** The bench's own client. */
export interface Cluster extends AsyncDisposable {
  kafka: Kafka
  admin: Admin
}

/** Enough for one send, and small enough for kafkajs, which groups the messages of a send in quadratic time. */
const SEND_RECORDS = 500
const SEND_BYTES = 800_000
export async function openCluster(brokers: string): Promise<Cluster> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  return { kafka, admin, [Symbol.asyncDispose]: () => admin.disconnect() }
}

export type Encode = (value: object) => Buffer | string

/** Makes an input topic. */
export const makeInput = (cluster: Cluster, topic: string, partitions: number): Promise<void> =>
  makeTopic(cluster, topic, partitions, { 'message.timestamp.type': 'LogAppendTime' })

/** Makes a status topic as the program does. */
export const makeCompacted = (cluster: Cluster, topic: string, partitions: number): Promise<void> =>
  makeTopic(cluster, topic, partitions, {
    'cleanup.policy': 'compact',
    'min.compaction.lag.ms': '86400000',
    'segment.ms': '86400000',
  })

async function makeTopic({ admin }: Cluster, topic: string, numPartitions: number, config: Record<string, string>) {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, configEntries }] })
  const known = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics.length === 1
  await until(known, { timeoutMs: 30_000, what: `the broker knows the topic ${topic}` })
}

/** For one use: a producer asks for the metadata of every topic it ever sent to, and fails when one is gone. */
export async function openProducer({ kafka }: Cluster): Promise<Producer> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  return producer
}

/** Sends the records as fast as it can, each session to the partition of its key; resolves when all are acknowledged. */
export async function produce(
  cluster: Cluster,
  topic: string,
  partitions: number,
  records: Iterable<TrafficRecord>,
  encode: Encode = JSON.stringify,
): Promise<void> {
  const producer = await openProducer(cluster)
  const open = Array.from({ length: partitions }, newBatch)
  const acknowledged = Array.from({ length: partitions }, (): Promise<unknown> => Promise.resolve())
  const send = async (partition: number) => {
    const { messages } = open[partition] as Batch
    open[partition] = newBatch()
    await acknowledged[partition] // one send a partition at a time keeps the order
    const sending = producer.send({ topic, messages, acks: -1 })
    sending.catch(() => undefined) // whoever waits for it next throws it
    acknowledged[partition] = sending
  }
  try {
    for (const { key, value } of records) {
      const partition = partitionOf(key, partitions)
      const batch = open[partition] as Batch
      const bytes = encode(value)
      batch.messages.push({ key, value: bytes, partition })
      batch.bytes += bytes.length
      if (batch.messages.length >= SEND_RECORDS || batch.bytes >= SEND_BYTES) await send(partition)
    }
    for (const [partition, { messages }] of open.entries()) if (messages.length > 0) await send(partition)
    await Promise.all(acknowledged)
  } finally {
    await producer.disconnect()
  }
}

interface Batch {
  messages: Message[]
  bytes: number
}

const newBatch = (): Batch => ({ messages: [], bytes: 0 })
