/**
 * A consumer group member that hands over batches, each of one partition, and never loses one: nothing is committed
 * but what `turn.done` names, nothing that a handler throws reaches kafkajs (where some errors end a consumer for good), and a
 * member that kafkajs gave up starts again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { createSeldom } from '../operate/seldom.ts'
import { denial, orNotAllowed } from './denied.ts'
import { causesOf } from './errors.ts'
import { type UnreadableBatch, unreadable } from './kafkajs-fetch.ts'
import { createTurns, HEARTBEAT_MS, type OnBatch, SESSION_TIMEOUT_MS } from './turns.ts'

/** How long a fetch waits for a first record; what is told to stop waits for it too. */
const FETCH_WAIT_MS = 1_000
/** What one answer of a broker brings, about: all of it is in memory until the last of it is done. */
const FETCH_BYTES = 3_000_000
const UNREADABLE_WAIT_MS = 30_000
/** Batches of one fetch that are handed over at once; kafkajs fetches again when all of them are done. */
const MOST_AT_ONCE = 64

export interface PartitionConsumerOptions {
  kafka: Kafka
  groupId: string
  topics: string[]
  log: Logger
  onBatch: OnBatch
  /**
   * After each join, and with no partitions when membership ended, and why where nothing but a human mends that. A new member
   * id: others may have owned ours between.
   */
  onAssignment?: (memberId: string | null, assignment: Record<string, number[]>, why?: string) => void
  /** How long a partition waits whose next batch cannot be read, until it is read again. */
  unreadableWaitMs?: number
  /** The consumer cannot go on: a bug, not an outage, and not for the first time. */
  onDead: (error: Error) => void
}

export interface PartitionConsumer {
  /** Ends all turns, leaves the group and joins it again after `backoffMs`: gives back what it may no longer own. */
  rejoin(backoffMs: number): void
  /** Lets what is in flight finish and commit, leaves the group, disconnects. */
  stop(): Promise<void>
}

const UNREADABLE =
  'a record batch cannot be read, so its partition waits and the others go on. If another replica has it whole, make that the leader; else move the group past it with kafka-consumer-groups.sh --reset-offsets'

const PROGRAMMING_ERRORS = new Set([
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'KafkaJSNotImplemented',
])

/** What Kafka does not let a member of the group do, if it was that. */
function denialOf(error: unknown, { groupId, topics }: PartitionConsumerOptions): string | undefined {
  const ofTopics = orNotAllowed(error, { operation: 'Read', on: 'topic', names: topics })
  return denial(orNotAllowed(ofTopics, { operation: 'Read', on: 'group', names: [groupId] })) ?? undefined
}

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
  const { groupId, log, unreadableWaitMs = UNREADABLE_WAIT_MS } = options
  const stopping = new AbortController()
  const turns = createTurns(consumer, options.onBatch, log)
  let restart: Promise<void> | null = null
  let bugs = 0
  const refused = createSeldom()
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
    turns.forget()
    options.onAssignment?.(payload.memberId, payload.memberAssignment)
  })
  consumer.on(consumer.events.STOP, () => options.onAssignment?.(null, {}))
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart: restartsItself } }) => {
    const why = denialOf(error, options)
    options.onAssignment?.(null, {}, why)
    if (why !== undefined && refused.isDue())
      log.warn({ groupId, reason: why }, 'the consumer may not go on, and tries again')
    if (restartsItself || stopping.signal.aborted) return
    // A first one may be of kafkajs, where a partition goes while it is fetched; a restart mends that, and no bug of ours.
    if (isBug(error) && bugs++ > 0) options.onDead(error)
    else again(error.message, 2_000)
  })
  const onUnreadable = ({ topic, partition, offset, error }: UnreadableBatch) => {
    if (!options.topics.includes(topic) || stopping.signal.aborted) return
    log.error({ err: error, topic, partition, offset, waitMs: unreadableWaitMs }, UNREADABLE)
    const one = [{ topic, partitions: [partition] }]
    consumer.pause(one)
    sleep(unreadableWaitMs, undefined, { signal: stopping.signal })
      .then(() => consumer.resume(one))
      .catch(() => {}) // it stopped
  }
  unreadable.on('batch', onUnreadable)
  await run()

  return {
    rejoin(backoffMs) {
      turns.end()
      again('it was fenced', backoffMs, () => consumer.stop())
    },
    async stop() {
      stopping.abort()
      turns.end()
      unreadable.off('batch', onUnreadable)
      await restart
      await turns.flush()
      await consumer.stop().catch(() => {})
      turns.forget()
      await consumer.disconnect().catch(() => {})
    },
  }
}
