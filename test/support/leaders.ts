import type { Admin } from 'kafkajs'

/** The broker that leads a partition, by its `node.id`; -1 when there is none. */
export async function leaderOf(admin: Admin, topic: string, partition: number): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)
  if (found === undefined) throw new Error(`${topic} has no partition ${partition}`)
  return found.leader
}

/** The broker that coordinates a group (or a transactional id): it leads the partition that the name belongs to. */
export async function coordinatorOf(admin: Admin, of: 'groups' | 'transactions', name: string): Promise<number> {
  const topic = of === 'groups' ? '__consumer_offsets' : '__transaction_state'
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const partitions = topics[0]?.partitions.length ?? 1
  return leaderOf(admin, topic, (javaHash(name) & 0x7fffffff) % partitions)
}

/** `String.hashCode` of Java. */
function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}
