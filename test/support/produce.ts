import { quietKafka } from '../../local/quiet-kafka.ts'
import { type PartitionMessage, sendAll } from '../../src/stream/send.ts'

/** Sends records to a topic, in this order within a partition. */
export async function produce(brokers: string, topic: string, records: readonly PartitionMessage[]): Promise<void> {
  const kafka = quietKafka(brokers, 'produce')
  const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false })
  await producer.connect()
  try {
    await sendAll(producer, topic, [...records])
  } finally {
    await producer.disconnect()
  }
}
