import type { Admin, Producer } from 'kafkajs'
import { waitOut } from '../../operate/wait-out.ts'
import { saysKafka } from '../../stream/errors.ts'
import { type PartitionMessage, sendAll } from '../../stream/send.ts'

/** A record on its way back. */
export interface Replay {
  topic: string
  message: PartitionMessage
  /** The offset after its letter. */
  next: bigint
}

/** How far the run has come, by partition of the dead letters. */
export async function committedOf(admin: Admin, group: string, topic: string): Promise<ReadonlyMap<number, bigint>> {
  const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  const started = (committed?.partitions ?? []).filter(({ offset }) => offset !== '-1')
  return new Map(started.map(({ partition, offset }) => [partition, BigInt(offset)]))
}

/** All in one transaction, or where a topic refuses one of them each in its own; gives those that are refused. */
export async function sendAllOrEach(
  producer: Producer,
  group: string,
  topic: string,
  partition: number,
  replays: Replay[],
): Promise<Replay[]> {
  const nextAfter = (sent: Replay[]) => new Map([[partition, sent.at(-1)?.next ?? 0n]])
  try {
    await commit(producer, group, topic, replays, nextAfter(replays))
    return []
  } catch (error) {
    if (!saysKafka(error, ...REFUSALS)) throw error
    if (replays.length === 1) return replays
  }
  const refused: Replay[] = []
  for (const replay of replays) refused.push(...(await sendAllOrEach(producer, group, topic, partition, [replay])))
  return refused
}

const REFUSALS = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE']

/** Sends in one transaction, and commits with it how far the run has come. */
export async function commit(
  producer: Producer,
  group: string,
  topic: string,
  replays: Replay[],
  next: ReadonlyMap<number, bigint>,
): Promise<void> {
  const transaction = await producer.transaction()
  try {
    for (const [source, messages] of Map.groupBy(replays, (replay) => replay.topic)) {
      const ours = messages.map(({ message }) => message)
      await sendAll(transaction, source, ours)
    }
    const partitions = Array.from(next, ([partition, offset]) => ({ partition, offset: String(offset) }))
    await onceTheLastHasEnded(() =>
      transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions }] }),
    )
    await transaction.commit()
  } catch (error) {
    if (transaction.isActive()) await transaction.abort().catch(() => {})
    throw error
  }
}

/** What begins a transaction is refused while the markers of the last are still being written; kafkajs waits for them with sends alone. */
const onceTheLastHasEnded = (work: () => Promise<void>): Promise<void> =>
  waitOut(work, {
    signal: AbortSignal.timeout(MARKERS_MS),
    firstDelayMs: 10,
    giveUp: (error) => !saysKafka(error, 'CONCURRENT_TRANSACTIONS'),
    onFailure() {},
  })

const MARKERS_MS = 10_000
