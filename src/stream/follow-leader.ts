/** Reads from one broker what it leads of a topic that is followed. */
import { setTimeout as sleep, setImmediate as yieldOnce } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import { within } from '../operate/within.ts'
import { orNotAllowed, type Right } from './denied.ts'
import { isHopeless } from './errors.ts'
import type { Fetcher, Wanted } from './fetch.ts'
import { batchesOf, committedOf, type Fetched, messagesOf } from './fetch-answer.ts'
import type { FollowOptions } from './follow.ts'
import { errorOf } from './kafkajs-cluster.ts'

/** One call of `follow`. */
export interface Following {
  readonly options: FollowOptions
  readonly fetcher: Fetcher
  /** Aborts at the end, whatever ends it. */
  readonly signal: AbortSignal
  /** Ends it with this error. */
  fail(error: unknown): void
  askForLeaders(): void
  /** A node by partition. */
  leaders: ReadonlyMap<number, number>
  /** By node: what reads from it, as long as it leads something. */
  readonly loops: Map<number, Promise<void>>
  /** Partitions whose last answer was an error. */
  readonly resting: Map<number, Rest>
  /** Partitions that `take` has in hand, or that are about to be. */
  readonly taking: Set<number>
}

interface Rest {
  pause: number
  /** When it may be asked for again, ms since 1970. */
  until: number
  /** When its position was first found to lie beyond its end. */
  beyondSince?: number | undefined
}

/** Bytes of one answer: of all partitions; of each, at least; and where answers do not arrive in time. */
const MAX_BYTES = 4 * 1024 * 1024
const PARTITION_BYTES = 512 * 1024
const LEAST_BYTES = 64 * 1024

/** kafkajs lets a request wait for 10 s; what takes so long hangs before that, in a handshake. */
export const ANSWER_MS = 30_000
export const LEAST_PAUSE_MS = 100
const MOST_PAUSE_MS = 2_000
/** Between two requests where the first one brought nothing, though the broker did not wait for records. */
const LOOK_AGAIN_MS = 50
/**
 * How long a position must lie beyond the end: a broker that has just lost the partition, and those who ask it, do not
 * know that at once; to go back to its end would give records twice.
 */
const BEYOND_MS = 5_000
const OFFSET_OUT_OF_RANGE = 1

export const longer = (pause: number) => Math.min(MOST_PAUSE_MS, 2 * pause)

/** Until the end, too. */
export async function rest({ signal }: Following, ms: number): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {})
}

const reading = (topic: string): Right => ({ operation: 'Read', on: 'topic', names: [topic] })

/** Throws it when waiting cannot help. */
export function tellFailure({ options }: Following, error: unknown): void {
  const why = orNotAllowed(error, reading(options.topic)) as Error
  if (isHopeless(error) && !options.patient) throw why
  options.onFailure?.(why)
}

/** As long as `node` leads something. Rejects with what waiting cannot help, and with what the callbacks throw. */
export async function readLeader(following: Following, node: number): Promise<void> {
  const { fetcher, signal } = following
  const leads = () => [...following.leaders.values()].includes(node)
  let bytes = MAX_BYTES
  let pause = LEAST_PAUSE_MS
  for (let round = 0; !signal.aborted && leads(); round++) {
    const asked = Date.now()
    const wanted = wantedOf(following, node, round)
    if (wanted.length === 0) {
      await rest(following, LOOK_AGAIN_MS)
      continue
    }
    let answer: Map<number, Fetched>
    try {
      answer = await within(ANSWER_MS, fetcher.fetchFrom(node, wanted, bytes))
    } catch (error) {
      if (signal.aborted) return
      following.askForLeaders()
      tellFailure(following, error)
      bytes = Math.max(LEAST_BYTES, bytes / 4) // over a slow line much may never arrive in time
      await rest(following, pause)
      pause = longer(pause)
      continue
    }
    bytes = Math.min(MAX_BYTES, 2 * bytes)
    pause = LEAST_PAUSE_MS
    const hasMoved = !signal.aborted && (await takeAnswer(following, wanted, answer))
    if (!hasMoved) await rest(following, asked + LOOK_AGAIN_MS - Date.now())
  }
  following.loops.delete(node) // in the same turn as the last look, so that a new one begins as soon as it leads again
}

const positionOf = ({ options }: Following, partition: number) => options.positions.get(partition) ?? 0n

/** Each round begins with another partition: the first is served best where an answer is full. */
function wantedOf(following: Following, node: number, round: number): Wanted[] {
  const now = Date.now()
  const partitions = [...following.leaders]
    .filter(([partition, leader]) => leader === node && !following.taking.has(partition))
    .filter(([partition]) => (following.resting.get(partition)?.until ?? 0) <= now)
    .map(([partition]) => partition)
  const maxBytes = Math.max(PARTITION_BYTES, Math.floor(MAX_BYTES / partitions.length))
  const first = round % partitions.length
  return [...partitions.slice(first), ...partitions.slice(0, first)].map((partition) => ({
    ...{ partition, maxBytes, offset: positionOf(following, partition) },
  }))
}

/** Whether any position has moved. */
async function takeAnswer(following: Following, wanted: Wanted[], answer: Map<number, Fetched>): Promise<boolean> {
  const { options, signal, taking } = following
  const sound = [...answer].filter(([, { errorCode }]) => errorCode === 0)
  options.onAnswer?.(new Map(sound.map(([partition, { lastStableOffset }]) => [partition, lastStableOffset])))
  let hasMoved = false
  for (const { partition, offset } of wanted) {
    const fetched = answer.get(partition)
    // It may have got another leader meanwhile, whose answer was quicker.
    const isLate = taking.has(partition) || positionOf(following, partition) !== offset
    if (!fetched || isLate || signal.aborted) continue
    taking.add(partition)
    try {
      if (await takePartition(following, partition, offset, fetched)) hasMoved = true
    } finally {
      taking.delete(partition)
    }
  }
  return hasMoved
}

async function takePartition(
  following: Following,
  partition: number,
  offset: bigint,
  fetched: Fetched,
): Promise<boolean> {
  const { options, resting, signal } = following
  let step: Step
  try {
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) step = await stepOverGap(following, partition, offset)
    else if (fetched.errorCode !== 0) throw errorOf(fetched.errorCode)
    else step = await stepOf(fetched, offset, options.headers ?? true)
  } catch (error) {
    if (!signal.aborted) letRest(following, partition, error as Error)
    return false
  }
  resting.delete(partition)
  if (step.next === offset || signal.aborted) return false
  if (step.isGap && options.positions.has(partition)) options.onGap?.(partition, offset, step.next)
  await options.take(partition, step.messages, step.next)
  options.positions.set(partition, step.next)
  await yieldOnce() // also where `take` never waits
  return true
}

/** How the position of a partition moves. */
interface Step {
  messages: KafkaMessage[]
  next: bigint
  isGap?: boolean
}

async function stepOf({ records, aborted }: Fetched, offset: bigint, withHeaders: boolean): Promise<Step> {
  const batches = batchesOf(records)
  const messages: KafkaMessage[] = []
  for (const batch of committedOf(batches, aborted)) {
    try {
      for (const message of await messagesOf(batch, withHeaders)) {
        if (batch.baseOffset >= offset || BigInt(message.offset) >= offset) messages.push(message)
      }
    } catch (error) {
      if (batch.baseOffset <= offset) throw error
      return { messages, next: batch.baseOffset } // what stands before a bad one comes first
    }
  }
  const last = batches.at(-1) // none: there is nothing new, or what there is had no room in the answer
  return { messages, next: last && last.lastOffset >= offset ? last.lastOffset + 1n : offset }
}

/** From a position that the log does not have to one that it has. */
async function stepOverGap(following: Following, partition: number, offset: bigint): Promise<Step> {
  const { low, high } = await within(ANSWER_MS, following.fetcher.range(partition))
  if (offset < low) return { messages: [], next: low, isGap: true }
  const resting = following.resting.get(partition)
  const beyondSince = resting?.beyondSince ?? Date.now()
  if (offset > high && Date.now() - beyondSince >= BEYOND_MS) return { messages: [], next: high, isGap: true }
  throw Object.assign(new Error(`the log has offsets ${low} to ${high} only`), { beyondSince })
}

/** Asks for the partition again after a pause that grows. A first error is not told: its leader may have moved. */
function letRest(following: Following, partition: number, error: Error & { beyondSince?: number }): void {
  const { options, resting } = following
  const before = resting.get(partition)
  const pause = before ? longer(before.pause) : LEAST_PAUSE_MS
  const beyondSince = error.beyondSince ?? before?.beyondSince
  resting.set(partition, { pause, until: Date.now() + pause, beyondSince })
  following.askForLeaders()
  if (!before && !isHopeless(error)) return
  const at = `${options.topic}/${partition} gives nothing from offset ${positionOf(following, partition)} on`
  const why = orNotAllowed(error, reading(options.topic)) as Error
  tellFailure(following, new Error(`${at}: ${why.message}`, { cause: why }))
}
