import { setTimeout as sleep, setImmediate as yieldOnce } from 'node:timers/promises'
import { createHub, type DropReason, type Hub, type Listener } from '../../../../src/serve/live/hub.ts'
import { type Filter, type Item, isWanted } from '../../../../src/serve/live/item.ts'
import { isWithin, type Position, positionOf } from '../../../../src/serve/live/position.ts'
import { createFrameReader } from '../../../support/event-stream.ts'

/** A status topic, a hub that follows it, and clients that come and go, all in memory. */

export const EVERYTHING: Filter = {
  ...{ all: true, zones: null, sessions: null, cards: null, kinds: null, readable: null, showsCards: true },
}

export type Fields = Pick<Item, 'changed' | 'kind' | 'session_id' | 'card' | 'zone_id'>

export const PLAIN: Fields = { changed: true, kind: 'session', session_id: 's1', card: 'tok_1', zone_id: 'Z1' }

export function itemAt(partition: number, offset: number, fields: Partial<Fields> = {}): Item {
  const own = { ...PLAIN, ...fields }
  return { ...own, partition, offset, json: JSON.stringify({ partition, offset, ...own }), withoutCard: null }
}

/** Where an update stands, as its data says. */
const placeOf = (data: string) => {
  const { partition, offset } = JSON.parse(data)
  return `${partition}/${offset}`
}

/** Makes a few frames that wait as much as a client may let wait. */
const WEIGHT = 300

/** One connection of a client. */
class Connection implements Listener {
  isGone = false
  isStalled = false
  dropped: DropReason | null = null
  readonly filter: Filter
  readonly #hub: Hub
  readonly #read: (text: string) => void
  #waiting: string[] = []
  #wake: (() => void)[] = []

  constructor(hub: Hub, filter: Filter, read: (text: string) => void) {
    this.#hub = hub
    this.filter = filter
    this.#read = read
  }

  deliver(frames: readonly Uint8Array[]): void {
    if (this.isGone) return
    for (const one of frames) this.#waiting.push(Buffer.from(one).toString())
    if (!this.isStalled) this.flow()
  }

  waiting(): number {
    return WEIGHT * this.#waiting.join('').length
  }

  async drained(): Promise<void> {
    if (this.#waiting.length === 0 || this.isGone) return
    await Promise.race([new Promise<void>((resolve) => this.#wake.push(resolve)), sleep(2)])
  }

  flow(): void {
    this.isStalled = false
    const texts = this.#waiting
    this.#waiting = []
    for (const text of texts) if (!this.isGone) this.#read(text)
    for (const wake of this.#wake.splice(0)) wake()
  }

  drop(reason: DropReason): void {
    if (this.isGone) return
    this.dropped = reason
    this.close()
  }

  close(): void {
    this.isGone = true
    for (const wake of this.#wake.splice(0)) wake()
    this.#hub.leave(this)
  }
}

/** Comes again and again with the id that it saw last. */
export class Client {
  /** All updates that it saw over all connections. */
  readonly seen: string[] = []
  readonly events: string[] = []
  readonly drops: (DropReason | null)[] = []
  lastId: string | undefined
  /** Where it first stood. */
  begin: Position | null
  connection: Connection | null = null
  /** Until its connection breaks. */
  framesLeft = 0
  joined: Promise<void> = Promise.resolve()
  readonly filter: Filter
  readonly #hub: Hub

  constructor(hub: Hub, filter: Filter, begin: Position | null) {
    this.#hub = hub
    this.filter = filter
    this.begin = begin
  }

  /** @param cutAfter frames after which the connection breaks, in the middle of whatever comes */
  connect(cutAfter = Number.POSITIVE_INFINITY): void {
    this.disconnect()
    this.framesLeft = cutAfter
    const read = createFrameReader(({ id, event, data }) => {
      if (this.framesLeft-- <= 0) return this.disconnect()
      if (id !== null) this.#stand(id)
      if (event === 'status') this.seen.push(placeOf(data ?? ''))
      else if (event !== null) this.events.push(event)
    })
    const connection = new Connection(this.#hub, this.filter, (text) => {
      if (this.connection === connection) read(text)
    })
    this.connection = connection
    const from = this.lastId === undefined ? this.begin : positionOf(this.lastId)
    this.joined = this.#hub.join(connection, from).catch(() => connection.drop('unavailable'))
  }

  #stand(id: string): void {
    const isBehind = this.lastId !== undefined && !isWithin(positionOf(this.lastId) ?? [], positionOf(id) ?? [])
    if (isBehind && this.events.at(-1) !== 'reset') this.events.push(`back from ${this.lastId} to ${id}`)
    this.lastId = id
    this.begin ??= positionOf(id)
  }

  disconnect(): void {
    const { connection } = this
    if (connection === null) return
    this.connection = null
    this.drops.push(connection.dropped)
    connection.close()
  }
}

export class Topic {
  /** By partition: what stands at each offset; null: a transaction's marker, or what was aborted. */
  readonly log: (Item | null)[][]
  readonly hub: Hub
  readings = 0
  /** Pieces of readings that go well from now on, and those that fail then. */
  successes = 0
  failures = 0
  isAway = false

  constructor(partitions: number, mostRecent: number, beginAt: readonly number[] = [], aheadMs = 0) {
    this.log = Array.from({ length: partitions }, (_, partition) => {
      const old = beginAt[partition] ?? 0
      return Array.from({ length: old }, (_, offset) => (offset % 3 === 2 ? null : itemAt(partition, offset)))
    })
    this.hub = createHub({
      mostRecent,
      readBetween: (from, to, onItems, signal) => this.#readBetween(from, to, onItems, signal),
      ...{ isAway: () => this.isAway, aheadMs, pauseMs: 1 },
    })
    for (const [partition, offset] of beginAt.entries()) if (offset > 0) this.hub.begin(partition, offset)
  }

  publish(partition: number, all: readonly (Partial<Fields> | null)[]): void {
    const log = this.log[partition] as (Item | null)[]
    const added = all.map((fields, i) => fields && itemAt(partition, log.length + i, fields))
    log.push(...added)
    this.hub.publish(
      partition,
      added.filter((one) => one !== null),
      log.length,
    )
  }

  async #readBetween(
    from: Position,
    to: Position,
    onItems: (items: readonly Item[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.readings++
    await Promise.all(
      this.log.map(async (log, partition) => {
        const end = to[partition] ?? 0
        for (let at = from[partition] ?? 0; at < end; at += 3) {
          await yieldOnce()
          signal.throwIfAborted()
          if (this.failures > 0 && this.successes-- <= 0) {
            this.failures--
            throw new Error('Kafka is away')
          }
          await onItems(log.slice(at, Math.min(at + 3, end)).filter((one) => one !== null))
        }
      }),
    )
  }

  /** What a client with this filter must have seen, by partition. */
  wanted(begin: Position, filter: Filter): string[][] {
    return this.log.map((log, partition) =>
      log
        .slice(begin[partition] ?? 0)
        .filter((one) => one !== null && isWanted(one, filter))
        .map((one) => `${partition}/${one?.offset}`),
    )
  }

  byPartition(seen: readonly string[]): string[][] {
    return this.log.map((_, partition) => seen.filter((one) => one.startsWith(`${partition}/`)))
  }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await yieldOnce()
}
