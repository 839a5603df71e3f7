import type { KafkaMessage } from 'kafkajs'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { sendAll } from '../../src/stream/send.ts'

const clientOf = (brokers: string) => quietKafka(brokers, 'copy')

/** Reads what is committed in a topic, from these offsets on. Returns its end offsets. */
export function readAll(
  brokers: string,
  topic: string,
  from: ReadonlyMap<number, bigint>,
  onMessages: (partition: number, messages: KafkaMessage[]) => void | Promise<void>,
): Promise<Map<number, bigint>> {
  return readToEnd({ kafka: clientOf(brokers), topic, from, onMessages })
}

/** Copies what is committed in a topic, from these offsets on, to the same partitions of another. */
export async function copyTopic(brokers: string, topic: string, to: string, from: ReadonlyMap<number, bigint>) {
  const producer = clientOf(brokers).producer({ idempotent: true, allowAutoTopicCreation: false })
  await producer.connect()
  let count = 0
  try {
    const ends = await readAll(brokers, topic, from, async (partition, messages) => {
      count += messages.length
      const copies = messages.map(({ key, value, headers = {} }) => ({ partition, key, value, headers }))
      await sendAll(producer, to, copies)
    })
    return { ends, count }
  } finally {
    await producer.disconnect()
  }
}
