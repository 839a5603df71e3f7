import type { Admin } from 'kafkajs'
import { createTopic } from '../../src/stream/topics.ts'
import { until } from './services.ts'

/** Makes a compacted topic, and waits for its leaders: a broker that has just made one may not know yet that it leads it. */
export async function newStatusTopic(admin: Admin, topic: string, partitions: number): Promise<void> {
  await createTopic(admin, topic, partitions, { 'cleanup.policy': 'compact' })
  const isLed = () =>
    admin.fetchTopicOffsets(topic).then(
      () => true,
      () => false,
    )
  await until(isLed, { timeoutMs: 30_000, what: 'the brokers lead the topic' })
}
