/** Observations on their way: many packed into one message of the partition where their lane reads. */
import type { Kind } from '../contract/document.ts'
import type { Observation } from '../contract/observation.ts'
import { partitionOf } from './partitions.ts'
import type { PartitionMessage } from './send.ts'

/** A pack is cut at this size, well below what a broker takes. */
const MAX_PACK_BYTES = 512 * 1024

/** Packs in order of their observations, for a topic of `partitions` partitions. */
export function pack(observations: readonly Observation[], partitions: number): PartitionMessage[] {
  const messages: PartitionMessage[] = []
  const open = new Map<number, { parts: string[]; bytes: number }>()
  const close = (partition: number, parts: string[]) => messages.push({ partition, value: `[${parts.join(',')}]` })
  for (const observation of observations) {
    const partition = partitionOf(observation.key, partitions)
    const part = JSON.stringify(observation)
    const bytes = Buffer.byteLength(part) + 1
    let current = open.get(partition)
    if (current && current.bytes + bytes > MAX_PACK_BYTES) {
      close(partition, current.parts)
      current = undefined
    }
    if (current) {
      current.parts.push(part)
      current.bytes += bytes
    } else open.set(partition, { parts: [part], bytes })
  }
  for (const [partition, { parts }] of open) close(partition, parts)
  return messages
}

/** The observations of a pack, or null when the value is not one of ours. */
export function unpack(value: Buffer | null): Observation[] | null {
  if (value === null) return null
  try {
    const observations: unknown = JSON.parse(value.toString())
    return Array.isArray(observations) && observations.every(isObservation) ? observations : null
  } catch {
    return null
  }
}

const KINDS: readonly unknown[] = ['error', 'payment', 'session', 'status'] satisfies Kind[]

function isObservation(value: unknown): value is Observation {
  const one = (value ?? {}) as Partial<Record<keyof Observation, unknown>>
  const texts = [one.key, one.status, one.event_id]
  const maybe = [one.session_id, one.card, one.zone_id, one.event_type, one.ends_at]
  return (
    texts.every((text) => typeof text === 'string') &&
    maybe.every((text) => text === null || typeof text === 'string') &&
    (one.http_status === null || typeof one.http_status === 'string' || typeof one.http_status === 'number') &&
    KINDS.includes(one.kind) &&
    isTime(one.at) &&
    isSource(one.source)
  )
}

function isSource(value: unknown): boolean {
  const { topic, partition, offset } = (value ?? {}) as Record<string, unknown>
  return typeof topic === 'string' && Number.isInteger(partition) && typeof offset === 'string'
}

function isTime(at: unknown): boolean {
  return Number.isInteger(at) && Math.abs(at as number) <= 8.64e15
}
