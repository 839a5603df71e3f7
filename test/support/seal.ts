import { quietKafka } from '../../local/quiet-kafka.ts'
import type { JudgedRecord } from './judge.ts'

const SEAL = '~sealed~'

/**
 * Puts a last record on every partition of a topic that is written no more, so that its reader need not wait to be sure
 * that nothing follows: behind what it is shown there may be any number of markers and aborted records. Returns the
 * number of partitions.
 */
export async function sealTopic(brokers: string, topic: string): Promise<number> {
  const kafka = quietKafka(brokers, 'seal')
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

/** What is read of a sealed topic, without the seals. */
export async function* withoutSeals(records: AsyncIterable<JudgedRecord>): AsyncGenerator<JudgedRecord> {
  for await (const record of records) if (String(record.key) !== SEAL) yield record
}
