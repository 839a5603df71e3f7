/**
 * What the status topic tells, kept while the process lives: what is parked where, the state of every session, and who listens. The
 * topic is followed from its beginning, so nothing needs to be stored; until its end is reached once, there are no answers.
 *
 * For each update, in this order: what the cache keeps of its event and its session counts as outdated; the session moves; listeners
 * are told. So whoever has seen an update here and then asks for its event gets that event, or a newer one.
 */
import type { Kafka, KafkaMessage } from 'kafkajs'
import type { SessionView } from '../../contract/api.ts'
import type { StatusUpdate } from '../../contract/status-update.ts'
import { type Head, headOf } from '../../status/fold.ts'
import type { Heads } from '../../status/heads/heads.ts'
import { follow } from '../../stream/follow.ts'
import { partitionOf } from '../../stream/partitions.ts'
import { subjectOfEvent, subjectOfSession } from '../cache/answer.ts'
import type { Board } from './board.ts'
import { createHub, type Hub } from './hub.ts'
import { type Item, itemOf } from './item.ts'
import { createReadBetween } from './read-between.ts'

export type SessionHead = Omit<SessionView, 'session_id' | 'events'>

export interface Live {
  readonly board: Board
  readonly hub: Hub
  /** Of the topic; 0 until it was found. */
  partitions(): number
  /** What is known of a session, however long ago it ended; undefined: the topic has nothing of it. */
  session(id: string): SessionHead | undefined
  /** @throws StillReading until the topic was read once. */
  assertReady(): void
  /** Updates that are in the topic and not here yet. */
  lag(): number
  /** For how long Kafka has not answered; 0: it does. */
  awaySeconds(): number
  /** Follows the topic, of so many partitions, until the signal aborts. */
  run(partitions: number, signal: AbortSignal): Promise<void>
  close(): void
}

export class StillReading extends Error {
  override readonly name = 'StillReading'

  constructor(updates: number) {
    super(`The status topic is being read: ${updates} updates are left`)
  }
}

export interface LiveOptions {
  kafka: Kafka
  topic: string
  board: Board
  /** Reads the values of the topic; waits while they cannot be read now. */
  readUpdates: (values: Buffer[]) => Promise<(StatusUpdate | { unreadable: string })[]>
  openHeads: (partition: number) => Heads
  /** Something of this subject changed. */
  changed: (subject: string) => void
  onUnreadable: (partition: number, offset: string, why: string) => void
  onAway: (error: Error) => void
  /** Kafka answers, and this is how many updates are still to be read before the first answer; 0: ready. */
  onProgress: (left: number) => void
  now?: () => number
}

/** Of each partition, for who comes back: the newest thousand at least, where they are not large. */
const MOST_RECENT = 2_000
/** By how much the clocks of those who write updates and of this machine may differ. */
const SKEW_MS = 60_000

/** Kafka answers a few times a second: one that is silent for so long hangs, though no request has failed yet. */
const SILENCE_MS = 5_000

/** What a message of the topic says; null: its key has ended; undefined: it is no update. */
type Told = StatusUpdate | null | undefined

export function createLive(options: LiveOptions): Live {
  const { kafka, topic, board, now = Date.now } = options
  const startedAt = now()
  const heads: Heads[] = []
  const positions = new Map<number, bigint>()
  const ends = new Map<number, bigint>()
  /** Where each partition ended when it was first seen. Null: all were reached. */
  let goals: Map<number, bigint> | null = new Map()
  let partitionCount = 0
  let awaySince: number | null = null
  let answeredAt = startedAt

  const hub = createHub({
    mostRecent: MOST_RECENT,
    readBetween: createReadBetween(kafka, topic, async (partition, messages) =>
      itemsOf(partition, messages, await read(partition, messages)),
    ),
    isAway: () => awaySince !== null,
  })

  async function read(partition: number, messages: readonly KafkaMessage[]): Promise<Told[]> {
    const updates = await options.readUpdates(messages.flatMap(({ value }) => value ?? []))
    let next = 0
    return messages.map(({ value, offset }) => {
      if (value === null) return null
      const update = updates[next++] as StatusUpdate | { unreadable: string }
      if (!('unreadable' in update)) return update
      options.onUnreadable(partition, offset, update.unreadable)
      return undefined
    })
  }

  function apply(partition: number, messages: readonly KafkaMessage[], told: readonly Told[]): void {
    const entries: [key: string, head: Head | null][] = []
    for (const [i, { key, timestamp }] of messages.entries()) {
      const update = told[i]
      if (update === undefined) continue
      // Nobody was told anything before the topic was read, but an event may have been asked for since the start.
      if (update !== null && (goals === null || Number(timestamp) > startedAt - SKEW_MS)) tellCache(update, options)
      if (key === null) continue
      const name = key.toString()
      board.apply(name, update)
      if (update === null) entries.push([name, null])
      else if (update.session_id !== null) entries.push([name, headOf(update)])
    }
    while (heads.length <= partition) heads.push(options.openHeads(heads.length)) // a partition may be added
    heads[partition]?.put(entries, null)
  }

  /** Of what is long past, nothing is made or kept for those who listen. */
  function publish(partition: number, messages: readonly KafkaMessage[], told: readonly Told[], next: bigint): void {
    const oldest = Number(goals?.get(partition) ?? 0n) - MOST_RECENT
    const kept = messages.findIndex(({ offset }) => Number(offset) >= oldest)
    const skipped = kept < 0 ? messages.length : kept
    if (skipped > 0) hub.begin(partition, Math.min(oldest, Number(next)))
    hub.publish(partition, itemsOf(partition, messages.slice(skipped), told.slice(skipped)), Number(next))
  }

  const left = (goal: ReadonlyMap<number, bigint>) => {
    let sum = 0
    for (const [partition, end] of goal) sum += Math.max(0, Number(end - (positions.get(partition) ?? 0n)))
    return sum
  }

  function progress(): void {
    if (goals === null) return
    const toRead = left(goals)
    if (goals.size >= partitionCount && toRead === 0) goals = null
    options.onProgress(goals === null ? 0 : Math.max(1, toRead))
  }

  async function take(partition: number, messages: readonly KafkaMessage[], next: bigint): Promise<void> {
    const told = await read(partition, messages)
    apply(partition, messages, told)
    publish(partition, messages, told, next)
    positions.set(partition, next)
    progress()
    await hub.settled()
  }

  return {
    ...{ board, hub },
    partitions: () => heads.length,
    session(id) {
      const head = findHead(heads, partitionCount, id)
      if (head === undefined) return undefined
      const { zone_id = null, card = null, ends_at = null } = board.session(id) ?? {}
      const status = head.state.session?.status ?? null
      return { zone_id, card, ends_at, status, revision: head.revision, state: head.state }
    },
    assertReady() {
      if (goals === null) return
      throw new StillReading(left(goals))
    },
    lag: () => left(ends),
    awaySeconds() {
      const isSilent = goals === null && now() - answeredAt > SILENCE_MS
      const since = awaySince ?? (isSilent ? answeredAt : null)
      return since === null ? 0 : Math.max(1, Math.round((now() - since) / 1_000))
    },
    async run(partitions, signal) {
      partitionCount = partitions
      for (let partition = 0; partition < partitions; partition++) heads.push(options.openHeads(partition))
      await follow({
        ...{ kafka, topic, positions: new Map(), signal, take },
        ...{ headers: false, patient: true },
        onAnswer(told) {
          awaySince = null
          answeredAt = now()
          for (const [partition, end] of told) {
            ends.set(partition, end)
            if (goals && !goals.has(partition)) goals.set(partition, end)
          }
          progress()
        },
        onFailure(error) {
          awaySince ??= now()
          options.onAway(error)
        },
        onGap: (partition, position, from) => assertSameTopic(`${topic}/${partition}`, position, from),
      })
    },
    close() {
      hub.close()
      for (const one of heads) one.discard()
    },
  }
}

function tellCache({ event_id, session_id }: StatusUpdate, { changed }: LiveOptions): void {
  changed(subjectOfEvent(event_id))
  if (session_id !== null) changed(subjectOfSession(session_id))
}

function itemsOf(partition: number, messages: readonly KafkaMessage[], told: readonly Told[]): Item[] {
  return messages.flatMap(({ offset, value }, i) => {
    const update = told[i]
    return update && value ? [itemOf(partition, Number(offset), update, value)] : []
  })
}

/** In its partition; or in any, where partitions were added, since what was there stays where it is. */
function findHead(heads: readonly Heads[], partitions: number, id: string): Head | undefined {
  const own = heads[partitionOf(id, partitions)]?.get(id)
  if (own !== undefined) return own
  for (const one of heads) {
    const head = one.get(id)
    if (head !== undefined) return head
  }
  return undefined
}

/** What was read from another topic of this name would stay for ever. */
function assertSameTopic(where: string, position: bigint, from: bigint): void {
  if (from >= position) return
  throw new Error(`${where} ends at ${from}, but was read up to ${position}: it was made anew. Start again to read it`)
}
