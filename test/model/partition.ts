/** Where Kafka's default partitioner puts a key: 32-bit murmur2, as the Java client has it. */
export function defaultPartition(key: Buffer, partitions: number): number {
  const m = 0x5bd1e995n
  const mask = 0xffffffffn
  let hash = (0x9747b28cn ^ BigInt(key.length)) & mask
  const whole = key.length - (key.length % 4)
  for (let i = 0; i < whole; i += 4) {
    let word = (BigInt(key.readUInt32LE(i)) * m) & mask
    word ^= word >> 24n
    hash = ((hash * m) & mask) ^ ((word * m) & mask)
  }
  if (key.length > whole) {
    hash ^= BigInt(key.readUIntLE(whole, key.length - whole))
    hash = (hash * m) & mask
  }
  hash ^= hash >> 13n
  hash = (hash * m) & mask
  hash ^= hash >> 15n
  return Number(hash & 0x7fffffffn) % partitions
}
