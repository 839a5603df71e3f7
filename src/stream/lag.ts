import type { Admin } from 'kafkajs'

export interface PartitionLag {
  topic: string
  partition: number
  /** Records (and transaction markers) between the group's committed offset and the end. */
  lag: number
}

/**
 * Lag of a group from the broker's own figures, right also while the group is idle, hung or gone. A partition without a
 * committed offset counts from its beginning.
 */
export async function readLag(admin: Admin, groupId: string, topics: string[]): Promise<PartitionLag[]> {
  const committed = await admin.fetchOffsets({ groupId, topics })
  const lags: PartitionLag[] = []
  for (const { topic, partitions } of committed) {
    const offsets = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const at = offsets.get(partition) ?? -1n
      const from = at < BigInt(low) ? BigInt(low) : at
      const lag = Number(BigInt(high) - from)
      lags.push({ topic, partition, lag: Math.max(0, lag) })
    }
  }
  return lags
}
