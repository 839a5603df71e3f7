/** Sending at least once, cut to what a broker takes. */
import type { Message, Producer } from 'kafkajs'
import { needing } from './denied.ts'

/** Below the default `max.message.bytes` (1 MiB), with room for batch overhead. */
export const MAX_SEND_BYTES = 900_000

export interface PartitionMessage extends Message {
  partition: number
}

/**
 * Sends `messages` and resolves when each is acknowledged by all in-sync replicas, possibly more than once. Order within
 * a partition is kept. Rejects when an attempt failed: the caller may repeat the whole.
 */
export async function sendAll(
  producer: Pick<Producer, 'send'>,
  topic: string,
  messages: PartitionMessage[],
): Promise<void> {
  for (const batch of cutBySize(messages)) {
    // When kafkajs sends again, it forgets a partition whose leader is now a broker that has acknowledged its part: such
    // are sent here. Each answer names at least one partition, so this ends.
    for (let left = batch; left.length > 0; ) {
      const acknowledged = await needing({ operation: 'Write', on: 'topic', names: [topic] }, () =>
        producer.send({ topic, messages: left, acks: -1 }),
      )
      const named = new Set(acknowledged.map(({ partition }) => partition))
      const forgotten = left.filter(({ partition }) => !named.has(partition))
      if (forgotten.length === left.length) throw new Error(`Kafka acknowledged nothing that was sent to ${topic}`)
      left = forgotten
    }
  }
}

/** Cuts so that no partition's part is over MAX_SEND_BYTES; a larger message goes alone. */
export function* cutBySize(messages: PartitionMessage[]): Generator<PartitionMessage[]> {
  let batch: PartitionMessage[] = []
  let bytes = new Map<number, number>()
  for (const message of messages) {
    const size = messageBytes(message)
    const filled = bytes.get(message.partition) ?? 0
    if (filled > 0 && filled + size > MAX_SEND_BYTES) {
      yield batch
      batch = []
      bytes = new Map()
    }
    batch.push(message)
    bytes.set(message.partition, (bytes.get(message.partition) ?? 0) + size)
  }
  if (batch.length > 0) yield batch
}

/** About what a message takes in a record batch, never less. */
function messageBytes({ key, value, headers }: Message): number {
  let bytes = 32 + boundOf(key) + (typeof value === 'string' ? Buffer.byteLength(value) : (value?.length ?? 0))
  for (const name in headers) {
    const item = headers[name]
    const size = Array.isArray(item) ? item.reduce((sum, one) => sum + boundOf(one) + 8, 0) : boundOf(item) + 8
    bytes += 3 * name.length + size
  }
  return bytes
}

/** A UTF-16 unit takes three bytes at most: what is short need not be measured. */
function boundOf(part: Buffer | string | null | undefined): number {
  if (part == null) return 0
  return typeof part === 'string' ? 3 * part.length : part.length
}
