/**
 * A consumer group member that hands over batches of one partition at a time, and never loses one: nothing is committed
 * but by `turn.commit`, nothing that a handler throws reaches kafkajs (where some errors end a consumer for good), and a
 * member that kafkajs gave up for lack of a broker starts again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import type { Logger } from 'pino'
import type { SourceRecord } from '../contract/record.ts'

const SESSION_TIMEOUT_MS = 10_000
const HEARTBEAT_MS = 2_000

/** One handler's hold on one partition. */
export interface Turn {
  readonly topic: string
  readonly partition: number
  /** Aborts when the partition must be given up: shutdown, a rebalance, or no heartbeat for a session time-out. */
  readonly signal: AbortSignal
  /** Commits all up to and including `offset`. False, and the turn has ended, when that failed: the records come again. */
  commit(offset: string): Promise<boolean>
}

export interface PartitionConsumerOptions {
  kafka: Kafka
  groupId: string
  topics: string[]
  /** Most partitions handled at the same time. */
  concurrency: number
  log: Logger
  /** `lastOffset` is the batch's last, transaction markers included. What it throws is logged, and the batch comes again. */
  onBatch: (messages: KafkaMessage[], lastOffset: string, turn: Turn) => Promise<void>
  /** After each join, and with no partitions when membership ended. A new member id: others may have owned ours between. */
  onAssignment?: (memberId: string | null, assignment: Record<string, number[]>) => void
  onRebalance?: () => void
  /** The consumer cannot go on: a bug, not an outage. */
  onDead: (error: Error) => void
}

export interface PartitionConsumer {
  /** Whether it is a member of its group now. */
  joined(): boolean
  /** Leaves the group and joins it again after `backoffMs`: gives back what it may no longer own. */
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
  for (let e = error as { name?: string; cause?: unknown } | undefined; e; e = e.cause as typeof e) {
    if (PROGRAMMING_ERRORS.has(e.name ?? '')) return true
  }
  return false
}

export async function startPartitionConsumer(options: PartitionConsumerOptions): Promise<PartitionConsumer> {
  const { kafka, groupId, log } = options
  const stopping = new AbortController()
  let joined = false
  let restart: Promise<void> | null = null
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: 30_000,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    metadataMaxAge: 60_000,
  })

  const run = () =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.concurrency,
      eachBatch: (payload) => takeTurn(payload, options, stopping.signal),
    })
  const again = (reason: string, delayMs: number, first: () => Promise<void> = async () => {}) => {
    if (restart || stopping.signal.aborted) return
    log.info({ groupId, reason, delayMs }, 'consumer joins its group anew')
    restart = first()
      .then(() => sleep(delayMs, undefined, { signal: stopping.signal }))
      .then(run)
      .catch((error: Error) => error)
      .then((error) => {
        restart = null
        if (error) again(error.message, 1_000)
      })
  }
  const left = () => {
    joined = false
    options.onAssignment?.(null, {})
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joined = true
    options.onAssignment?.(payload.memberId, payload.memberAssignment)
  })
  consumer.on(consumer.events.REBALANCING, () => {
    joined = false
    options.onRebalance?.()
  })
  consumer.on(consumer.events.STOP, left)
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    left()
    if (payload.restart || stopping.signal.aborted) return
    if (isBug(payload.error)) options.onDead(payload.error)
    else again(payload.error.message, 2_000)
  })

  await consumer.connect()
  await consumer.subscribe({ topics: options.topics, fromBeginning: true })
  await run()

  return {
    joined: () => joined,
    rejoin: (backoffMs) => again('it was fenced', backoffMs, () => consumer.stop()),
    async stop() {
      stopping.abort()
      await restart
      await closeConsumer(consumer)
    },
  }
}

/** Stop and disconnect, whatever state it is in. */
async function closeConsumer(consumer: Consumer): Promise<void> {
  await consumer.stop().catch(() => {})
  await consumer.disconnect().catch(() => {})
}

async function takeTurn(
  { batch, heartbeat, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload,
  { onBatch, log }: PartitionConsumerOptions,
  stopping: AbortSignal,
): Promise<void> {
  const { topic, partition } = batch
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, stopping])
  const beats = keepAlive(heartbeat, () => ending.abort())
  const turn: Turn = {
    topic,
    partition,
    signal,
    async commit(offset) {
      const next = (BigInt(offset) + 1n).toString()
      try {
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] })
        resolveOffset(offset)
        return true
      } catch (error) {
        log.info({ topic, partition, reason: (error as Error).message }, 'offset not committed, its records come again')
        ending.abort()
        return false
      }
    },
  }
  try {
    await onBatch(batch.messages, batch.lastOffset(), turn)
  } catch (error) {
    if (signal.aborted) return
    log.error({ err: error, topic, partition, offset: batch.firstOffset() }, 'batch failed, it comes again')
    await sleep(1_000, undefined, { signal }).catch(() => {})
  } finally {
    clearInterval(beats)
  }
}

/** Beats while a handler works or waits; `lost` is called when the membership is gone or cannot be kept. */
function keepAlive(heartbeat: () => Promise<void>, lost: () => void): NodeJS.Timeout {
  let last = Date.now()
  return setInterval(() => {
    heartbeat().then(
      () => {
        last = Date.now()
      },
      (error: { type?: string }) => {
        const gone = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'NOT_COORDINATOR_FOR_GROUP']
        if (gone.includes(error.type ?? '') || Date.now() - last > SESSION_TIMEOUT_MS) lost()
      },
    )
  }, HEARTBEAT_MS / 2)
}
