const SEED = 0x9747b28c
const M = 0x5bd1e995

/** Kafka's 32-bit murmur2 of a key, as the Java client's default partitioner computes it. */
export function murmur2(data: Uint8Array): number {
  const length = data.length
  let h = SEED ^ length
  let i = 0
  for (; i + 4 <= length; i += 4) {
    let k = (data[i] as number) | ((data[i + 1] as number) << 8) | ((data[i + 2] as number) << 16)
    k |= (data[i + 3] as number) << 24
    k = Math.imul(k, M)
    k ^= k >>> 24
    k = Math.imul(k, M)
    h = Math.imul(h, M) ^ k
  }
  const rest = length - i
  if (rest > 2) h ^= (data[i + 2] as number) << 16
  if (rest > 1) h ^= (data[i + 1] as number) << 8
  if (rest > 0) h = Math.imul(h ^ (data[i] as number), M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** The partition that Kafka's default partitioner gives `key` (its UTF-8 bytes) in a topic of `count` partitions. */
export function partitionOf(key: string | Uint8Array, count: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % count
}
