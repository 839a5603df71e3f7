/**
 * Reads partitions of a topic once, from their beginning to the end that they had at the call, read committed.
 *
 * By plain fetch requests, without a consumer group: nothing to join, to be allowed, or to clean up. The next fetch of a
 * partition is on its way while its last one is handled. The position moves by whole batches, so it passes transaction
 * markers, what was aborted, and what was compacted away.
 */
import { setTimeout as sleep, setImmediate as yieldOnce } from 'node:timers/promises'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { within } from '../operate/within.ts'
import { orNotAllowed } from './denied.ts'
import { isHopeless, saysKafka } from './errors.ts'
import { createFetcher, type Fetcher } from './fetch.ts'
import { batchesOf, committedOf, messagesOf, type RecordBatch } from './fetch-answer.ts'
import { errorOf } from './kafkajs-cluster.ts'

export interface ReadToEndOptions {
  kafka: Kafka
  topic: string
  /** All partitions when absent. */
  partitions?: number[]
  /** Start offsets by partition; where absent, the beginning. Where the log begins later by now, it is read from there. */
  from?: ReadonlyMap<number, bigint>
  /**
   * What the ends must have reached. A broker that has not learnt yet that it leads no more tells an old end, and would
   * let a reader stop early; with this, it is asked again.
   */
  atLeast?: ReadonlyMap<number, bigint>
  /** With `false` the messages come without headers, which is faster. */
  headers?: boolean
  /** In offset order, and for one partition not again before it has settled. */
  onMessages: (partition: number, messages: KafkaMessage[]) => void | Promise<void>
  /** Offsets still to read, over all partitions, after each answer. */
  onProgress?: (left: bigint) => void
  signal?: AbortSignal
}

/** A partition that gives nothing for so long, whatever is tried, was cut off, or made anew under the reader. */
const STALL_MS = 60_000

/** What no broker knows for so long is not there. */
const UNKNOWN_MS = 5_000

/** Bytes of one fetch: of a single partition, and shared by all. */
const MAX_BYTES = 4 * 1024 * 1024
const MIN_BYTES = 512 * 1024
const LEAST_BYTES = 64 * 1024

/**
 * The end offsets read to, by partition. Waits out broker restarts and moves of leaders. Rejects with what `onMessages`
 * threw, with the reason of `signal` as soon as it aborts, and when nothing comes any more for a minute.
 */
export async function readToEnd(options: ReadToEndOptions): Promise<Map<number, bigint>> {
  const { kafka, topic, signal: outer } = options
  outer?.throwIfAborted()
  const stop = new AbortController()
  const fetcher = createFetcher(kafka, topic)
  const reading: Reading = { options, fetcher, signal: stop.signal, left: new Map(), maxBytes: MAX_BYTES }
  const aborted = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason))
  })
  const abort = () => stop.abort(outer?.reason)
  outer?.addEventListener('abort', abort)
  try {
    const ends = await Promise.race([readAll(reading), aborted])
    await fetcher.close()
    return ends
  } catch (error) {
    fetcher.close().catch(() => {}) // it may wait long for a broker that is away
    throw error
  } finally {
    outer?.removeEventListener('abort', abort)
    aborted.catch(() => {})
    stop.abort() // the other partitions, when one has failed
  }
}

/** One call of `readToEnd`. */
interface Reading {
  options: ReadToEndOptions
  fetcher: Fetcher
  signal: AbortSignal
  /** Offsets still to read, by partition. */
  left: Map<number, bigint>
  maxBytes: number
}

type Offsets = ReadonlyMap<number, bigint>

async function readAll(reading: Reading): Promise<Map<number, bigint>> {
  const { options, fetcher, left } = reading
  const { topic, from } = options
  const partitions = options.partitions ?? (await insist(reading, `${topic} is not there`, () => fetcher.partitions()))
  reading.maxBytes = Math.min(MAX_BYTES, Math.max(MIN_BYTES, Math.floor((2 * MAX_BYTES) / partitions.length)))
  const ranges = await Promise.all(partitions.map((partition) => rangeOf(reading, partition)))
  const ends = new Map<number, bigint>()
  const starts = new Map<number, bigint>()
  for (const { partition, low, high } of ranges) {
    const start = later(from?.get(partition) ?? low, low)
    ends.set(partition, high)
    starts.set(partition, start)
    left.set(partition, later(high - start, 0n))
  }
  await Promise.all(partitions.map((partition) => readPartition(reading, partition, starts, ends)))
  return ends
}

const later = (a: bigint, b: bigint) => (a > b ? a : b)

function rangeOf(reading: Reading, partition: number) {
  const { topic, atLeast } = reading.options
  const least = atLeast?.get(partition) ?? 0n
  return insist(reading, `${topic}/${partition} does not tell its end`, async () => {
    const range = await reading.fetcher.range(partition)
    if (range.high < least) throw new Error(`it tells ${range.high}, though it had reached ${least}`)
    return { partition, ...range }
  })
}

async function readPartition(reading: Reading, partition: number, starts: Offsets, ends: Offsets): Promise<void> {
  const { options, signal, left } = reading
  let position = starts.get(partition) ?? 0n
  const end = ends.get(partition) ?? 0n
  let asked = position < end ? ask(reading, partition, position, end) : null
  while (asked) {
    const { batches, next } = await asked
    const first = position
    position = next
    asked = position < end ? ask(reading, partition, position, end) : null
    asked?.catch(() => {}) // it is awaited in the next round
    await yieldOnce() // for the request to go out before the records are decoded
    const messages = await messagesBetween(batches, first, end, options.headers ?? true)
    signal.throwIfAborted()
    if (messages.length > 0) await options.onMessages(partition, messages)
    signal.throwIfAborted()
    left.set(partition, later(end - position, 0n))
    options.onProgress?.([...left.values()].reduce((sum, one) => sum + one, 0n))
  }
}

async function messagesBetween(
  batches: RecordBatch[],
  first: bigint,
  end: bigint,
  withHeaders: boolean,
): Promise<KafkaMessage[]> {
  const messages: KafkaMessage[] = []
  for (const batch of batches) {
    const all = await messagesOf(batch, withHeaders)
    const isWhole = batch.baseOffset >= first && batch.lastOffset < end
    for (const message of all) {
      if (isWhole || (BigInt(message.offset) >= first && BigInt(message.offset) < end)) messages.push(message)
    }
  }
  return messages
}

/** The committed batches at `offset` and after it, and the offset that comes next: always a later one. */
function ask(reading: Reading, partition: number, offset: bigint, end: bigint) {
  const { fetcher, options, maxBytes } = reading
  const at = `${options.topic}/${partition}`
  let bytes = 4 * maxBytes
  return insist(reading, `${at} gives nothing from offset ${offset} on, though it ended at ${end}`, async () => {
    bytes = Math.max(LEAST_BYTES, bytes / 4) // less at each try: over a slow line much may never arrive in time
    const fetched = await fetcher.fetch(partition, offset, bytes)
    if (fetched === null) throw new Error('the broker throttles this client')
    const { errorCode, lastStableOffset, aborted, records } = fetched
    if (errorCode === OFFSET_OUT_OF_RANGE) return { batches: [], next: await logStart(fetcher, partition, offset) }
    if (errorCode !== 0) throw errorOf(errorCode)
    if (records.length === 0) {
      if (lastStableOffset < end) throw new Error(`for now it ends at ${lastStableOffset}`)
      return { batches: [], next: end } // a broker sends at least one batch if there is any: the rest is compacted away
    }
    const batches = batchesOf(records)
    const next = (batches.at(-1)?.lastOffset ?? -1n) + 1n
    if (next <= offset) throw new Error('the answer holds no whole batch')
    return { batches: committedOf(batches, aborted), next }
  })
}

const OFFSET_OUT_OF_RANGE = 1

/** Where the log begins, when retention or compaction has moved that past `offset`. */
async function logStart(fetcher: Fetcher, partition: number, offset: bigint): Promise<bigint> {
  const { low, high } = await fetcher.range(partition)
  if (offset < low) return low
  throw Object.assign(errorOf(OFFSET_OUT_OF_RANGE), {
    message: `it has offsets ${low} to ${high} only: it was made anew, or cut off, while it was read`,
  })
}

/** Does `work` until it succeeds, with pauses of 50 ms to 2 s and new metadata between. `what` begins the error in the end. */
async function insist<T>({ options, fetcher, signal }: Reading, what: string, work: () => Promise<T>): Promise<T> {
  const since = Date.now()
  for (let pause = 50; ; pause = Math.min(2_000, 2 * pause)) {
    try {
      return await within(STALL_MS, work())
    } catch (thrown) {
      signal.throwIfAborted()
      const error = orNotAllowed(thrown, { operation: 'Read', on: 'topic', names: [options.topic] })
      const patience = saysKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'OFFSET_OUT_OF_RANGE') ? UNKNOWN_MS : STALL_MS
      if (isHopeless(error) || Date.now() - since >= patience) {
        throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
      }
      await sleep(pause, undefined, { signal })
      await within(STALL_MS, fetcher.refresh()).catch(() => {})
    }
  }
}
