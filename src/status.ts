/**
 * The second walk: observations of one partition → its lane → status updates. The lanes of this process follow its
 * group assignment: opened when a partition is assigned, closed when it is taken away. `status/lane.ts` tells why every
 * update is published exactly once.
 */
import type { KafkaMessage, Producer } from 'kafkajs'
import type { Logger } from 'pino'
import type { Health } from './operate/health.ts'
import { type Metrics, timed } from './operate/metrics.ts'
import type { Tracing } from './operate/tracing.ts'
import { waitOut } from './operate/wait-out.ts'
import { watch } from './operate/watch.ts'
import { type Chunk, chunks } from './status/chunks.ts'
import { FencedError, Lane, type LaneOptions, type Published } from './status/lane.ts'
import { NewerPackError, waitForUpgrade } from './status/newer-pack.ts'
import { CorruptStatusError } from './status/restore.ts'
import { createRoom, type Room } from './status/room.ts'
import { watchLanes } from './status/watch-lanes.ts'
import type { PartitionConsumer } from './stream/consumer.ts'
import { type Cleaning, deadLetter, sendDeadLetters } from './stream/dead-letters.ts'
import { ofMessages, ofTopic, tracedSend } from './stream/trace-messages.ts'
import { sourceRecord, type Turn } from './stream/turns.ts'

export interface StatusParts {
  lane: Omit<LaneOptions, 'tracing' | 'restoring' | 'onState' | 'onProgress' | 'onRestored'>
  producer: Producer
  deadLetterTopic: string
  deadLetterPartitions: number
  cards: Cleaning
  /** About how many observations one transaction covers: a pack is never split. */
  chunkRecords: number
  tracing: Tracing | null
  /** The consumer group. */
  group: string
  /** Leaves the group and joins it again after so many milliseconds. */
  rejoin: PartitionConsumer['rejoin']
  metrics: Metrics
  health: Health
  log: Logger
}

/** Fenced this often in a row: somebody else owns these partitions, and an operator should know. */
const FENCED_TOO_OFTEN = 3

/** How long a lane must have run until the fencings before it count no more: two deployments in turn never do. */
const SETTLED_MS = 60_000

/** Full chunks that lanes publish at the same time; of smaller ones more. */
const MOST_CHUNKS = 2

/** Lanes that restore at the same time. */
const MOST_RESTORING = 2

/** A lane looks through all its keys for expired ones in an hour, or in one retention where that is shorter, in so many slices. */
const ROUND_MS = 3_600_000
const SLICES = 120

/** A partition that is assigned to us, with its lane as soon as that is open. */
interface Slot {
  opening: Promise<Lane>
  lane: Lane | null
  closing: AbortController
  /** For a later version. */
  isWaiting: boolean
}

export interface StatusStage {
  onBatch(messages: KafkaMessage[], lastOffset: string, turn: Turn): Promise<void>
  /** Opens and closes lanes to match. A new member id means that others may have owned ours in between. */
  assign(memberId: string | null, partitions: number[]): void
  close(): Promise<void>
}

export function createStatusStage(parts: StatusParts): StatusStage {
  const { log, health } = parts
  const slots = new Map<number, Slot>()
  const closings = new Map<number, Promise<void>>()
  const watched = watchLanes(parts)
  const restoring = createRoom(MOST_RESTORING)
  const laneOptions: LaneOptions = {
    ...parts.lane,
    ...watched,
    tracing: parts.tracing,
    onProgress(partition, records, left) {
      watched.onProgress(partition, records, left)
      if (slots.has(partition)) health.set(`lane-${partition}`, false, `restoring, about ${left} records left`)
    },
    restoring: (work) => restoring(1, work),
  }
  const sliceMs = Math.min(ROUND_MS, parts.lane.retentionMs) / SLICES
  const room = createRoom(MOST_CHUNKS * parts.chunkRecords)
  let member: string | null = null
  /** Times in a row that lanes were fenced, and whether we are leaving the group because of the last. */
  let fenced = 0
  let leaving = false

  const open = (partition: number) => {
    const closing = new AbortController()
    const { signal } = closing
    const slot: Slot = { opening: tryOpening(partition, signal), lane: null, closing, isWaiting: false }
    slots.set(partition, slot)
    health.set(`lane-${partition}`, false, 'opening')
    slot.opening.then(
      (lane) => {
        if (signal.aborted) return
        slot.lane = lane
        health.set(`lane-${partition}`, true)
        setTimeout(() => signal.aborted || settled(), SETTLED_MS).unref()
        expireNowAndThen(slot, lane)
      },
      (error) => {
        if (!signal.aborted && error instanceof FencedError) onFenced(error)
      },
    )
  }

  const expireNowAndThen = (slot: Slot, lane: Lane) => {
    const { signal } = slot.closing
    const look = async () => {
      if (lane.state === 'closed') return // its next batch opens another
      try {
        parts.metrics.headsExpired.inc(await lane.expire(SLICES))
        watched.onHeads(lane.partition, lane.size)
      } catch (error) {
        failed(slot, lane.partition, error)
      }
    }
    watch(sliceMs, signal, look)
  }

  /** The lane of a slot ended with an error: open another, unless that has happened already. */
  const failed = (slot: Slot, partition: number, error: unknown): boolean => {
    if (slots.get(partition) !== slot) return false
    close(partition)
    if (error instanceof FencedError) onFenced(error)
    else open(partition)
    return !(error instanceof FencedError)
  }

  const tryOpening = async (partition: number, signal: AbortSignal): Promise<Lane> => {
    await closings.get(partition)
    const work = () => {
      signal.throwIfAborted()
      return Lane.open(partition, laneOptions, signal)
    }
    return waitOut(work, {
      signal,
      firstDelayMs: 200,
      giveUp: (error) => error instanceof FencedError,
      seldom: (error) => error instanceof CorruptStatusError,
      onFailure(error, failedForMs) {
        watched.onState(partition, 'failed')
        health.set(`lane-${partition}`, false, `not open for ${Math.round(failedForMs / 1_000)} s: ${error.message}`)
        log.warn({ partition, reason: error.message }, 'lane did not open')
      },
    })
  }

  const close = (partition: number) => {
    const slot = slots.get(partition)
    if (!slot) return
    slots.delete(partition)
    slot.closing.abort()
    health.clear(`lane-${partition}`)
    watched.onState(partition, 'closed')
    const closed = slot.opening.then((lane) => lane.close()).catch(() => {})
    closings.set(partition, closed)
  }

  const onFenced = (error: FencedError) => {
    if (leaving) return
    leaving = true
    fenced++
    log.warn({ reason: error.message, times: fenced }, 'fenced: leaving the group to join it anew')
    if (fenced >= FENCED_TOO_OFTEN) health.set('lanes', false, `fenced ${fenced} times in a row by another deployment`)
    parts.rejoin(Math.min(30_000, 1_000 * 2 ** fenced))
  }

  const settled = () => {
    fenced = 0
    health.clear('lanes')
  }

  return {
    async onBatch(messages, lastOffset, turn) {
      const { partition } = turn
      const slot = slots.get(partition)
      if (!slot) return // it was taken from us while its batch was on the way
      if (!slot.lane) return turn.pauseUntil(slot.opening)
      try {
        await takeBatch(parts, room, slot.lane, messages, lastOffset, turn)
        if (slot.isWaiting) health.set(`lane-${partition}`, true)
        slot.isWaiting = false
        watched.onHeads(partition, slot.lane.size)
      } catch (error) {
        if (error instanceof NewerPackError) {
          slot.isWaiting = true
          return waitForUpgrade(error, turn, slot.closing.signal, parts)
        }
        if (failed(slot, partition, error)) throw error
      }
    },
    assign(memberId, partitions) {
      const assigned = new Set(partitions)
      for (const partition of [...slots.keys()]) {
        if (memberId !== member || !assigned.has(partition)) close(partition)
      }
      member = memberId
      if (memberId !== null) leaving = false
      for (const partition of assigned) if (!slots.has(partition)) open(partition)
    },
    async close() {
      for (const partition of [...slots.keys()]) close(partition)
      await Promise.all(closings.values())
    },
  }
}

/** The batch chunk by chunk: publish, dead letters, offset. Throws what ended the lane or a send. */
async function takeBatch(
  parts: StatusParts,
  room: Room,
  lane: Lane,
  messages: KafkaMessage[],
  lastOffset: string,
  turn: Turn,
) {
  const { metrics, chunkRecords, tracing } = parts
  for (const chunk of chunks(messages, chunkRecords, tracing !== null)) {
    if (turn.signal.aborted) return
    const { trails } = chunk
    const publish = () =>
      timed(metrics, 'status', 'publish', () => lane.publish(chunk.take, chunk.seenAt, trails?.contexts))
    const work = async () => {
      count(metrics, await room(chunk.observations, publish))
      for (const { since, observations } of chunk.waited) metrics.updateAge.observe(since, observations)
      await rejectUnreadable(parts, chunk.unreadable, turn)
    }
    await (tracing === null || trails === null
      ? work()
      : tracing.begin(spanOf(chunk, turn, parts.group), trails.links(), work))
    turn.done(chunk.isLast ? lastOffset : chunk.lastOffset)
    metrics.recordsConsumed.inc({ stage: 'status', topic: turn.topic, partition: turn.partition }, chunk.messages)
    metrics.chunkRecords.observe({ stage: 'status' }, chunk.observations)
    metrics.lastProgress.setToCurrentTime({ stage: 'status' })
  }
}

const spanOf = ({ messages }: Chunk, turn: Turn, group: string) =>
  ofTopic('process', 'consumer', [turn], { 'messaging.consumer.group.name': group, ...ofMessages(messages) })

function count(metrics: Metrics, { changed, confirmed, older, expired }: Published): void {
  metrics.statusUpdates.inc({ type: 'changed' }, changed)
  metrics.statusUpdates.inc({ type: 'confirmed' }, confirmed)
  metrics.observations.inc({ result: 'published' }, changed + confirmed)
  metrics.observations.inc({ result: 'older' }, older)
  metrics.observations.inc({ result: 'expired' }, expired)
}

async function rejectUnreadable(parts: StatusParts, unreadable: KafkaMessage[], turn: Turn): Promise<void> {
  if (unreadable.length === 0) return
  const reject = {
    reject: 'invalid_observation',
    message: 'this is not a pack of observations; nothing but the ingest stage may produce to this topic',
  } as const
  const letters = unreadable.map((message) =>
    deadLetter(sourceRecord(turn, message), reject, parts.deadLetterPartitions, parts.cards),
  )
  const topic = parts.deadLetterTopic
  await tracedSend(parts.tracing, { topic }, letters.length, () => sendDeadLetters(parts.producer, topic, letters))
  parts.metrics.deadLetters.inc({ reason: reject.reject }, letters.length)
}
