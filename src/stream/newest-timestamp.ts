import type { Admin, Kafka } from 'kafkajs'
import { readToEnd } from './read-to-end.ts'

export interface NewestTimestampOptions {
  kafka: Kafka
  admin: Admin
  topic: string
}

/** The Kafka timestamp (epoch ms) of the last record of a partition that ends in a record; 0 when there is none. */
export async function newestTimestamp(
  { kafka, admin, topic }: NewestTimestampOptions,
  partition: number,
  signal: AbortSignal,
): Promise<number> {
  const end = (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition)?.high
  if (end === undefined) throw new Error(`${topic} has no partition ${partition}`)
  let newest = 0
  await readToEnd({
    ...{ kafka, topic, partitions: [partition], signal, headers: false },
    from: new Map([[partition, BigInt(end) - 1n]]),
    onMessages: (_, messages) => {
      for (const { timestamp } of messages) newest = Math.max(newest, Number(timestamp))
    },
  })
  return newest
}
