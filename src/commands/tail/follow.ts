import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, KafkaMessage } from 'kafkajs'
import { tell } from '../command-line.ts'
import { type Connection, passes } from '../connect.ts'

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
function seekOnJoin(consumer: Consumer, { topic, positions }: FollowOptions, onJoin: () => void): void {
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    onJoin()
    for (const partition of payload.memberAssignment[topic] ?? []) {
      consumer.seek({ topic, partition, offset: (positions.get(partition) ?? 0n).toString() })
    }
  })
}

/** Reads as the only member of the group until `signal` aborts or the consumer fails. */
async function followOnce(
  connection: Connection,
  groupId: string,
  options: FollowOptions,
  signal: AbortSignal,
  onJoin: () => void,
): Promise<void> {
  const { topic, positions, take } = options
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
  seekOnJoin(consumer, options, onJoin)
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
  }
}

/** One by one, since one that is gone already would fail them all. Kafka expires them itself when it is away now. */
async function deleteGroups({ admin }: Connection, groupIds: Iterable<string>): Promise<void> {
  for (const groupId of groupIds) {
    const isAway = await admin.deleteGroups([groupId]).then(() => false, passes)
    if (isAway) return
  }
}

const RETRY_MS = 1_000
const TELL_EVERY_MS = 60_000

/**
 * Follows a topic from `positions` on until `signal` aborts. An outage is waited out; reading goes on where it stopped. The
 * temporary groups are deleted at the end.
 * Throws what does not pass, such as a missing permission, and what `take` throws.
 */
export async function follow(connection: Connection, options: FollowOptions, signal: AbortSignal): Promise<void> {
  // A new group for each try: a member that could not say goodbye would make the next one wait for its time-out.
  const joined = new Set<string>()
  let told = 0
  try {
    while (!signal.aborted) {
      const groupId = `${options.groupId}-tail-${randomUUID()}`
      try {
        await followOnce(connection, groupId, options, signal, () => joined.add(groupId))
      } catch (error) {
        if (!passes(error)) throw error
        if (Date.now() - told > TELL_EVERY_MS) tell(`Kafka is away, trying again: ${(error as Error).message}`)
        told = Date.now()
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
      }
    }
  } finally {
    await deleteGroups(connection, joined)
  }
}
