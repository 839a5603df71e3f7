import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, KafkaMessage } from 'kafkajs'
import { tell } from '../command-line.ts'
import type { Connection } from '../connect.ts'

export interface FollowOptions {
  readonly topic: string
  /** Prefix of the temporary groups. */
  readonly groupId: string
  /** Where to start, by partition; moves on with what was taken. */
  readonly positions: Map<number, bigint>
  /** Takes records in the order of their partition, aborted ones left out. */
  readonly take: (partition: number, messages: KafkaMessage[]) => Promise<void>
}

/** Where a partition goes on: kafkajs forgets it whenever the member joins again, for nothing is committed. */
function seekOnJoin(consumer: Consumer, { topic, positions }: FollowOptions): void {
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    for (const partition of payload.memberAssignment[topic] ?? []) {
      consumer.seek({ topic, partition, offset: (positions.get(partition) ?? 0n).toString() })
    }
  })
}

/** Reads as the only member of a group of its own until `signal` aborts or the consumer fails; deletes the group. */
async function followOnce(connection: Connection, options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { topic, positions, take } = options
  const groupId = `${options.groupId}-tail-${randomUUID()}`
  const consumer = connection.kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    heartbeatInterval: 2_000,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false,
    retry: { retries: 3, restartOnFailure: async () => false },
  })
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  seekOnJoin(consumer, options)
  consumer.on(consumer.events.CRASH, ({ payload }) => failed.abort(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, isStale, isRunning }) => {
        const at = positions.get(batch.partition) ?? 0n
        if (isStale() || !isRunning() || stop.aborted) return
        const fresh = batch.messages.filter(({ offset }) => BigInt(offset) >= at)
        await take(batch.partition, fresh).catch((error: unknown) => failed.abort(error))
        positions.set(batch.partition, BigInt(batch.lastOffset()) + 1n)
      },
    })
    if (!stop.aborted) await once(stop, 'abort')
    if (failed.signal.aborted) throw failed.signal.reason
  } finally {
    await consumer.disconnect().catch(() => {})
    await connection.admin.deleteGroups([groupId]).catch(() => {})
  }
}

const RETRY_MS = 1_000
const TELL_EVERY_MS = 60_000

/**
 * Follows a topic from `positions` on until `signal` aborts. An outage is waited out; reading goes on where it stopped.
 * Throws what `take` throws.
 */
export async function follow(connection: Connection, options: FollowOptions, signal: AbortSignal): Promise<void> {
  let told = 0
  let broken: unknown = null
  const take: FollowOptions['take'] = (partition, messages) =>
    options.take(partition, messages).catch((error: unknown) => {
      broken = error
      throw error
    })
  while (!signal.aborted) {
    try {
      await followOnce(connection, { ...options, take }, signal)
    } catch (error) {
      if (broken !== null) throw broken
      if (Date.now() - told > TELL_EVERY_MS) tell(`Kafka is away, trying again: ${(error as Error).message}`)
      told = Date.now()
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
    }
  }
}
