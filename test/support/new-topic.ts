import type { Admin } from 'kafkajs'
import { createTopic } from '../../src/stream/topics.ts'
import { until } from './services.ts'

/** The offsets of a topic that may be new: for a moment, its broker may not know yet that it leads it. */
export const offsetsOf = (admin: Admin, topic: string) =>
  until(() => admin.fetchTopicOffsets(topic).catch(() => undefined), {
    timeoutMs: 30_000,
    what: `the brokers lead ${topic}`,
  })

/** Makes a compacted topic, and waits for its leaders. */
export async function newStatusTopic(admin: Admin, topic: string, partitions: number): Promise<void> {
  await createTopic(admin, topic, partitions, { 'cleanup.policy': 'compact' })
  await offsetsOf(admin, topic)
}
