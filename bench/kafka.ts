import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs'
import { until } from '../local/until.ts'
import { partitionOf } from '../src/stream/partitions.ts'
import type { TrafficRecord } from './event.ts'

/** The bench's own client. */
export interface Cluster extends AsyncDisposable {
  kafka: Kafka
  admin: Admin
  producer: Producer
}

/** Enough for one send, and small enough for kafkajs, which groups the messages of a send in quadratic time. */
const SEND_RECORDS = 500
const SEND_BYTES = 800_000
/** As the program makes its input topics. */
const INPUT = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]

export async function openCluster(brokers: string): Promise<Cluster> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
  return {
    kafka,
    admin,
    producer,
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.disconnect(), producer.disconnect()])
    },
  }
}

export type Encode = (value: object) => Buffer | string

/** Makes an input topic. */
export async function makeInput({ admin }: Cluster, topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, configEntries: INPUT }] })
  const known = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics.length === 1
  await until(known, { timeoutMs: 30_000, what: `the broker knows the topic ${topic}` })
}

/** Sends the records as fast as it can, each session to the partition of its key; resolves when all are acknowledged. */
export async function produce(
  { producer }: Cluster,
  topic: string,
  partitions: number,
  records: Iterable<TrafficRecord>,
  encode: Encode = JSON.stringify,
): Promise<void> {
  const open = Array.from({ length: partitions }, () => ({ messages: [] as object[], bytes: 0 }))
  const acknowledged = Array.from({ length: partitions }, () => Promise.resolve() as Promise<unknown>)
  const send = async (partition: number) => {
    const messages = (open[partition] as (typeof open)[0]).messages as { value: string; partition: number }[]
    open[partition] = { messages: [], bytes: 0 }
    await acknowledged[partition] // one send a partition at a time keeps the order
    acknowledged[partition] = producer.send({ topic, messages, acks: -1 })
  }
  for (const { key, value } of records) {
    const partition = partitionOf(key, partitions)
    const batch = open[partition] as (typeof open)[0]
    const bytes = encode(value)
    batch.messages.push({ key, value: bytes, partition })
    batch.bytes += bytes.length
    if (batch.messages.length >= SEND_RECORDS || batch.bytes >= SEND_BYTES) await send(partition)
  }
  for (const partition of open.keys()) if (open[partition]?.messages.length) await send(partition)
  await Promise.all(acknowledged)
}
