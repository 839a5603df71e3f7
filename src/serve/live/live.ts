/**
 * What the status topic tells, kept while the process lives: what is parked where, the state of every session, and who listens. The
 * topic is followed from its beginning, so nothing needs to be stored; until its end is reached once, there are no answers.
 *
 * For each update, in this order: what the cache keeps of its event and its session counts as outdated; the session moves; listeners
 * are told. So whoever has seen an update here and then asks for its event gets that event, or a newer one.
 */
import type { Kafka, KafkaMessage } from 'kafkajs'
import { stringify } from 'lossless-json'
import type { SessionView } from '../../contract/api.ts'
import type { StatusUpdate } from '../../contract/status-update.ts'
import { headOf } from '../../status/fold.ts'
import type { Heads } from '../../status/heads/heads.ts'
import { follow } from '../../stream/follow.ts'
import { partitionOf } from '../../stream/partitions.ts'
import { readToEnd } from '../../stream/read-to-end.ts'
import { subjectOfEvent, subjectOfSession } from '../cache/answer.ts'
import { RequestProblem } from '../http/problems.ts'
import type { Board } from './board.ts'
import { createHub, type Hub, type ReadBetween } from './hub.ts'
import type { Item } from './item.ts'
import type { Position } from './position.ts'

export type SessionHead = Omit<SessionView, 'session_id' | 'events'>

export interface Live {
  readonly board: Board
  readonly hub: Hub
  /** Of the topic; 0 until it was found. */
  partitions(): number
  /** What is known of a session, however long ago it ended; undefined: the topic has nothing of it. */
  session(id: string): SessionHead | undefined
  /** @throws RequestProblem until the topic was read once. */
  assertReady(): void
  /** Updates that are in the topic and not here yet. */
  lag(): number
  /** For how long Kafka has not answered; 0: it does. */
  awaySeconds(): number
  /** Follows the topic, of so many partitions, until the signal aborts. */
  run(partitions: number, signal: AbortSignal): Promise<void>
  close(): void
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

/** Updates of a partition that are kept for who comes back. */
const MOST_RECENT = 1_000

export function createLive(options: LiveOptions): Live {
  const { kafka, topic, board, changed, now = Date.now } = options
  let heads: Heads[] = []
  const positions = new Map<number, bigint>()
  const ends = new Map<number, bigint>()
  /** Where each partition ended when it was first seen; emptied as these are reached. Null: all were. */
  let goals: Map<number, bigint> | null = new Map()
  let awaySince: number | null = null

  const readItems = async (partition: number, messages: readonly KafkaMessage[]): Promise<Item[]> => {
    const valued = messages.filter(({ value }) => value !== null)
    const updates = await options.readUpdates(valued.map(({ value }) => value as Buffer))
    return updates.flatMap((update, i) => {
      const { offset, value } = valued[i] as KafkaMessage
      if ('unreadable' in update) {
        options.onUnreadable(partition, offset, update.unreadable)
        return []
      }
      return [{ partition, offset: BigInt(offset), update, json: jsonOf(value as Buffer, update) }]
    })
  }

  const hub = createHub(MOST_RECENT, readBetween(kafka, topic, readItems))

  function apply(partition: number, messages: readonly KafkaMessage[], items: readonly Item[]): void {
    const byOffset = new Map(items.map((item) => [String(item.offset), item.update]))
    const own = heads[partition] as Heads
    for (const { key, value, offset } of messages) {
      const update = value === null ? null : byOffset.get(offset)
      if (key === null || update === undefined) continue
      const name = key.toString()
      board.apply(name, update)
      if (update === null) own.put([[name, null]], null)
      else if (update.session_id !== null) own.put([[name, headOf(update)]], null)
    }
  }

  function tellCache(items: readonly Item[]): void {
    for (const { update } of items) {
      changed(subjectOfEvent(update.event_id))
      if (update.session_id !== null) changed(subjectOfSession(update.session_id))
    }
  }

  const left = (goal: ReadonlyMap<number, bigint>) => {
    let sum = 0
    for (const [partition, end] of goal) sum += Math.max(0, Number(end - (positions.get(partition) ?? 0n)))
    return sum
  }

  function progress(): void {
    if (goals === null) return
    const toRead = left(goals)
    if (goals.size === heads.length && toRead === 0) goals = null
    options.onProgress(goals === null ? 0 : Math.max(1, toRead))
  }

  async function take(partition: number, messages: readonly KafkaMessage[], next: bigint): Promise<void> {
    const items = await readItems(partition, messages)
    if (goals === null) tellCache(items)
    apply(partition, messages, items)
    hub.publish(partition, items, next)
    positions.set(partition, next)
    progress()
  }

  return {
    ...{ board, hub },
    partitions: () => heads.length,
    session(id) {
      const head = heads[partitionOf(Buffer.from(id), heads.length)]?.get(id)
      if (head === undefined) return undefined
      const { zone_id = null, card = null, ends_at = null } = board.session(id) ?? {}
      return {
        zone_id,
        card,
        ends_at,
        status: head.state.session?.status ?? null,
        revision: head.revision,
        state: head.state,
      }
    },
    assertReady() {
      if (goals === null) return
      const detail = `The status topic is being read: ${left(goals)} updates are left`
      throw new RequestProblem('unavailable', detail, 'Try again in a moment', { 'retry-after': '2' })
    },
    lag: () => left(ends),
    awaySeconds: () => (awaySince === null ? 0 : Math.max(1, Math.round((now() - awaySince) / 1_000))),
    async run(partitions, signal) {
      heads = Array.from({ length: partitions }, (_, partition) => options.openHeads(partition))
      await follow({
        ...{ kafka, topic, positions: new Map(), signal, take },
        headers: false,
        onAnswer(told) {
          awaySince = null
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
      })
    },
    close() {
      hub.close()
      for (const one of heads) one.discard()
    },
  }
}

/** The text that stands in the topic, where it fits on one line of a frame. */
function jsonOf(value: Buffer, update: StatusUpdate): string {
  if (value[0] !== OPENING_BRACE) return stringify(update) ?? ''
  const text = value.toString()
  return /[\r\n]/.test(text) ? (stringify(update) ?? '') : text
}

const OPENING_BRACE = 0x7b

function readBetween(
  kafka: Kafka,
  topic: string,
  readItems: (partition: number, messages: readonly KafkaMessage[]) => Promise<Item[]>,
): ReadBetween {
  return async (from: Position, to: Position, onItems) => {
    const partitions = [...from.keys()].filter((partition) => at(from, partition) < at(to, partition))
    if (partitions.length === 0) return
    await readToEnd({
      ...{ kafka, topic, partitions, headers: false },
      from: new Map(partitions.map((partition) => [partition, at(from, partition)])),
      onMessages: async (partition, messages) => {
        const wanted = messages.filter(({ offset }) => BigInt(offset) < at(to, partition))
        await onItems(await readItems(partition, wanted))
      },
    })
  }
}

const at = (position: Position, partition: number) => position[partition] ?? 0n
