import { Kafka, logLevel } from 'kafkajs'
// Keeps kafkajs from setting negative timers, which Node warns of.
import '../../src/stream/request-queue.ts'
import { type JudgedRecord, readTopic } from './judge.ts'

const SEAL = '~sealed~'

/**
 * Puts a last record on every partition of a topic that is written no more, so that its reader need not wait to be sure
 * that nothing follows: behind what it is shown there may be any number of markers and aborted records. Returns the
 * number of partitions.
 */
export async function sealTopic(brokers: string, topic: string): Promise<number> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'seal', logLevel: logLevel.NOTHING })
  const [admin, producer] = [kafka.admin(), kafka.producer({ allowAutoTopicCreation: false })]
  try {
    await Promise.all([admin.connect(), producer.connect()])
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]?.partitions.length ?? 0
    const messages = Array.from({ length: partitions }, (_, partition) => ({ partition, key: SEAL, value: SEAL }))
    await producer.send({ topic, messages, acks: -1 })
    return partitions
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }
}

/** Reads a sealed topic, without the seals. */
export async function* readSealed(brokers: string, topic: string): AsyncGenerator<JudgedRecord> {
  for await (const record of readTopic(brokers, topic)) if (String(record.key) !== SEAL) yield record
}
