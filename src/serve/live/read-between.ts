import type { Kafka, KafkaMessage } from 'kafkajs'
import { readToEnd } from '../../stream/read-to-end.ts'
import type { ReadBetween } from './company.ts'
import type { Item } from './item.ts'
import { offsetIn } from './position.ts'

/** The partitions of a topic between two positions, all at once. */
export function createReadBetween(
  kafka: Kafka,
  topic: string,
  readItems: (partition: number, messages: readonly KafkaMessage[]) => Promise<Item[]>,
): ReadBetween {
  return async (from, to, onItems, signal) => {
    const partitions = [...to.keys()].filter((partition) => offsetIn(from, partition) < offsetIn(to, partition))
    if (partitions.length === 0) return
    const offsetsOf = (position: readonly number[]) =>
      new Map(partitions.map((partition) => [partition, BigInt(offsetIn(position, partition))]))
    await readToEnd({
      ...{ kafka, topic, partitions, headers: false, signal },
      from: offsetsOf(from),
      atLeast: offsetsOf(to), // a broker that does not know yet that it leads no more tells an older end
      async onMessages(partition, messages) {
        const wanted = messages.filter(({ offset }) => Number(offset) < offsetIn(to, partition))
        await onItems(await readItems(partition, wanted))
      },
    })
  }
}
