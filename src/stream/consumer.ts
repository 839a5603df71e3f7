/**
 * A consumer group member that hands over batches of one partition at a time, and never loses one: nothing is committed
 * but what `turn.done` names, nothing that a handler throws reaches kafkajs (where some errors end a consumer for good), and a
 * member that kafkajs gave up starts again.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import type { Logger } from 'pino'
import type { SourceRecord } from '../contract/record.ts'
import { type Committer, createCommitter, type NextOffset } from './committer.ts'
import { causesOf, saysKafka } from './errors.ts'

const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_MS = 2_000
/** How long a fetch waits for a first record; what is told to stop waits for it too. */
const FETCH_WAIT_MS = 1_000
/** What one answer of a broker brings, about: all of it is in memory until the last of it is done. */
const FETCH_BYTES = 3_000_000
/** Batches of one fetch that are handed over at once; kafkajs fetches again when all of them are done. */
const MOST_AT_ONCE = 64

/** One handler's hold on one partition. */
export interface Turn {
  readonly topic: string
  readonly partition: number
  /** Aborts when all partitions must be given up: shutdown, a rebalance, or no heartbeat for a session time-out. */
  readonly signal: AbortSignal
  /** All up to and including `offset` is done: it does not come again, and is committed a little later. */
  done(offset: string): void
  /** Fetches nothing of this partition until `settled` has. The handler then returns, so that others go on meanwhile. */
  pauseUntil(settled: Promise<unknown>): void
}

export interface PartitionConsumerOptions {
  kafka: Kafka
  groupId: string
  topics: string[]
  log: Logger
  /** `lastOffset` is the batch's last, transaction markers included. What it throws is logged, and the batch comes again. */
  onBatch: (messages: KafkaMessage[], lastOffset: string, turn: Turn) => Promise<void>
  /** After each join, and with no partitions when membership ended. A new member id: others may have owned ours between. */
  onAssignment?: (memberId: string | null, assignment: Record<string, number[]>) => void
  /** The consumer cannot go on: a bug, not an outage. */
  onDead: (error: Error) => void
}

export interface PartitionConsumer {
  /** Ends all turns, leaves the group and joins it again after `backoffMs`: gives back what it may no longer own. */
  rejoin(backoffMs: number): void
  /** Lets what is in flight finish and commit, leaves the group, disconnects. */
  stop(): Promise<void>
}

/** A Kafka message with where it stands. */
export function sourceRecord({ topic, partition }: Turn, message: KafkaMessage): SourceRecord {
  const { offset, timestamp, key, value, headers = {} } = message
  return { topic, partition, offset, timestamp: Number(timestamp), key, value, headers }
}

const PROGRAMMING_ERRORS = new Set([
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'KafkaJSNotImplemented',
])

function isBug(error: unknown): boolean {
  for (const { name } of causesOf(error)) if (PROGRAMMING_ERRORS.has(name ?? '')) return true
  return false
}

/** Connects and joins. Throws what Kafka threw when it cannot connect; later outages it waits out itself. */
export async function startPartitionConsumer(options: PartitionConsumerOptions): Promise<PartitionConsumer> {
  const { kafka, groupId } = options
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: 30_000,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytes: FETCH_BYTES,
    allowAutoTopicCreation: false,
    metadataMaxAge: 15_000,
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: options.topics, fromBeginning: true })
  } catch (error) {
    await consumer.disconnect().catch(() => {})
    throw error
  }
  return keepRunning(consumer, options)
}

async function keepRunning(consumer: Consumer, options: PartitionConsumerOptions): Promise<PartitionConsumer> {
  const { groupId, log } = options
  const stopping = new AbortController()
  const turns = createTurns(consumer, options)
  let restart: Promise<void> | null = null
  /** Why it must start again once more, when that happens while it starts again. */
  let pending: string | null = null

  const run = () =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: MOST_AT_ONCE,
      eachBatch: turns.take,
    })
  const again = (reason: string, delayMs: number, first: () => Promise<void> = async () => {}) => {
    if (stopping.signal.aborted) return
    if (restart) {
      pending = reason
      return
    }
    log.info({ groupId, reason, delayMs }, 'consumer joins its group anew')
    restart = first()
      .then(() => sleep(delayMs, undefined, { signal: stopping.signal }))
      .then(run)
      .catch((error: Error) => {
        pending = error.message
      })
      .then(() => {
        const reasonNow = pending
        pending = null
        restart = null
        if (reasonNow !== null) again(reasonNow, 2_000)
      })
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    turns.joined()
    options.onAssignment?.(payload.memberId, payload.memberAssignment)
  })
  consumer.on(consumer.events.STOP, () => options.onAssignment?.(null, {}))
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart: restartsItself } }) => {
    options.onAssignment?.(null, {})
    if (restartsItself || stopping.signal.aborted) return
    if (isBug(error)) options.onDead(error)
    else again(error.message, 2_000)
  })
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
    // Only transaction markers: no handler saw it, so nobody else commits it, and its lag would stay.
    if (batchSize === 0) turns.committer.add({ topic, partition, offset: after(lastOffset) })
  })
  await run()

  return {
    rejoin(backoffMs) {
      turns.end()
      again('it was fenced', backoffMs, () => consumer.stop())
    },
    async stop() {
      stopping.abort()
      turns.end()
      await restart
      await turns.committer.flush()
      await consumer.stop().catch(() => {})
      await consumer.disconnect().catch(() => {})
    },
  }
}

const after = (offset: string) => (BigInt(offset) + 1n).toString()

interface Turns {
  committer: Committer
  /** Another generation of the group: what an earlier one left to commit is of no use. */
  joined(): void
  take(payload: EachBatchPayload): Promise<void>
  /** Aborts the signal of all that go on. */
  end(): void
}

function createTurns(consumer: Consumer, { onBatch, log }: PartitionConsumerOptions): Turns {
  let ending = newEnding()
  let going = 0
  let beats: NodeJS.Timeout | undefined
  /** Commits also while the consumer stops, which the consumer's own way does not. */
  let latest: EachBatchPayload | undefined
  const committer = createCommitter(async (offsets) => {
    const byTopic = new Map<string, NextOffset[]>()
    for (const next of offsets) byTopic.set(next.topic, [...(byTopic.get(next.topic) ?? []), next])
    const topics = Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions }))
    await (latest ? latest.commitOffsetsIfNecessary({ topics }) : consumer.commitOffsets(offsets))
  }, log)

  const begin = (payload: EachBatchPayload) => {
    latest = payload
    going++
    beats ??= keepAlive(payload.heartbeat, () => ending.abort())
  }
  const over = async () => {
    if (--going > 0) return
    clearInterval(beats)
    beats = undefined
    if (!ending.signal.aborted) return
    // kafkajs leaves the group, or joins it anew, once the last turn is over.
    await committer.flush()
    ending = newEnding()
  }

  return {
    committer,
    joined() {
      committer.forget()
      latest = undefined
    },
    end: () => ending.abort(),
    async take(payload) {
      begin(payload)
      const { signal } = ending
      try {
        await onBatch(payload.batch.messages, payload.batch.lastOffset(), turnOf(payload, signal, committer))
      } catch (error) {
        if (signal.aborted) return
        const { topic, partition } = payload.batch
        log.error({ err: error, topic, partition, offset: payload.batch.firstOffset() }, 'batch failed, it comes again')
        await sleep(1_000, undefined, { signal }).catch(() => {})
      } finally {
        await over()
      }
    },
  }
}

function newEnding(): AbortController {
  const ending = new AbortController()
  setMaxListeners(0, ending.signal) // each partition may wait on it
  return ending
}

function turnOf({ batch, resolveOffset, pause }: EachBatchPayload, signal: AbortSignal, committer: Committer): Turn {
  const { topic, partition } = batch
  return {
    topic,
    partition,
    signal,
    done(offset) {
      resolveOffset(offset)
      committer.add({ topic, partition, offset: after(offset) })
    },
    pauseUntil(settled) {
      const resume = pause()
      settled.then(resume, resume).catch(() => {}) // it may be nobody's any more
    },
  }
}

const MEMBERSHIP_LOST = [
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
]

/** Beats while handlers work or wait; `lost` is called when the membership is gone or cannot be kept. */
function keepAlive(heartbeat: () => Promise<void>, lost: () => void): NodeJS.Timeout {
  let last = Date.now()
  return setInterval(() => {
    if (Date.now() - last > SESSION_TIMEOUT_MS) lost()
    heartbeat().then(
      () => {
        last = Date.now()
      },
      (error) => {
        if (saysKafka(error, ...MEMBERSHIP_LOST)) lost()
      },
    )
  }, HEARTBEAT_MS / 2)
}
