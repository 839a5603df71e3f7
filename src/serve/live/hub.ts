/**
 * Status updates to all who listen, as server-sent events. The id of an event is the position after it, in all partitions, so that
 * who comes back with it goes on just there: from memory if what was missed is still there, else from Kafka. Nobody is waited for:
 * who reads too slowly is dropped, and may come back.
 */
import type { StatusUpdate } from '../../contract/status-update.ts'
import { type Filter, type Item, isWanted, jsonFor } from './item.ts'
import { type Position, positionText } from './position.ts'
import { createRecentItems } from './recent-items.ts'

export interface Listener {
  readonly filter: Filter
  /** Takes whole frames; never throws. */
  deliver(frames: string): void
  /** Bytes that wait to be read by the other side. */
  waiting(): number
  /** Resolves when less waits, or it is gone. */
  drained(): Promise<void>
  /** Ends it, saying why. */
  drop(reason: DropReason): void
  readonly isGone: boolean
}

export type DropReason = 'slow' | 'stopping' | 'credentials'

export interface Hub {
  /** Updates of one partition, in order, and where it goes on after them. */
  publish(partition: number, items: readonly Item[], next: bigint): void
  position(): Position
  /** From now on, or from a position on. Resolves when it hears what is new. */
  join(listener: Listener, from: Position | null): Promise<void>
  leave(listener: Listener): void
  /** Tells all that they are still connected, and where they stand. */
  beat(): void
  readonly size: number
  close(): void
}

/** Reads committed updates from Kafka, from one position up to another. */
export type ReadBetween = (from: Position, to: Position, onItems: (items: Item[]) => Promise<void>) => Promise<void>

/** Bytes that may wait for a client. */
const MOST_WAITING = 1024 * 1024
/** And while it is given what it missed. */
const WAITING_IN_REPLAY = 128 * 1024

/** @param mostRecent updates of a partition that are kept in memory. */
export function createHub(mostRecent: number, readBetween: ReadBetween): Hub {
  const recent = createRecentItems(mostRecent)
  const position: bigint[] = []
  const listeners = createListeners()
  const replays = createTurns(MOST_REPLAYS)

  async function replay(listener: Listener, from: Position, to: Position): Promise<void> {
    const own = [...from]
    await readBetween(from, to, async (items) => {
      if (listener.isGone) throw new Error('the client has gone')
      listener.deliver(framesOf(items, own, listener))
      if (listener.waiting() > WAITING_IN_REPLAY) await listener.drained()
    })
  }

  return {
    publish(partition, items, next) {
      while (position.length <= partition) position.push(0n)
      const texts = position.map((offset) => offset.toString(36))
      const frames = new Map<Listener, string>()
      for (const item of items) {
        texts[partition] = (item.offset + 1n).toString(36)
        const id = texts.join('.')
        const frameFor = framer(item, id)
        for (const listener of listeners.about(item.update)) {
          if (isWanted(item, listener.filter))
            frames.set(listener, (frames.get(listener) ?? '') + frameFor(listener.filter))
        }
      }
      position[partition] = next
      recent.add(items)
      recent.reached(partition, next)
      for (const [listener, text] of frames) {
        listener.deliver(text)
        if (listener.waiting() > MOST_WAITING) listener.drop('slow')
      }
    },
    position: () => [...position],
    async join(listener, from) {
      let at = from
      while (at !== null && !listener.isGone) {
        const missed = recent.since(at)
        if (missed) {
          listener.deliver(framesOf(missed, [...at], listener))
          break
        }
        const begin = at
        const to = [...position]
        await replays(() => replay(listener, begin, to))
        at = to
      }
      if (listener.isGone) return
      listener.deliver(beatAt(position))
      listeners.add(listener)
    },
    leave: (listener) => listeners.remove(listener),
    beat() {
      const text = beatAt(position)
      for (const listener of listeners.all()) {
        listener.deliver(text)
        if (listener.waiting() > MOST_WAITING) listener.drop('slow')
      }
    },
    get size() {
      return listeners.size
    },
    close() {
      for (const listener of [...listeners.all()]) listener.drop('stopping')
    },
  }
}

/** A comment, and an id without data: it moves the reader's position and is shown to nobody. */
const beatAt = (position: Position) => `: still here\nid: ${positionText(position)}\n\n`

const frameOf = (id: string, json: string) => `id: ${id}\nevent: status\ndata: ${json}\n\n`

/** Frames of one item, made once for all who see the same of it. */
function framer(item: Item, id: string): (filter: Filter) => string {
  let whole: string | undefined
  let withoutCard: string | undefined
  return (filter) => {
    if (filter.showsCards) {
      whole ??= frameOf(id, jsonFor(item, filter))
      return whole
    }
    withoutCard ??= frameOf(id, jsonFor(item, filter))
    return withoutCard
  }
}

/** Moves `own` on. */
function framesOf(items: readonly Item[], own: bigint[], { filter }: Listener): string {
  let frames = ''
  for (const item of items) {
    own[item.partition] = item.offset + 1n
    if (isWanted(item, filter)) frames += frameOf(positionText(own), jsonFor(item, filter))
  }
  return frames
}

/** Who listens, found by the narrowest thing that they ask for: an update is not compared with thousands of filters. */
function createListeners() {
  const all = new Set<Listener>()
  const wide = new Set<Listener>()
  const bySession = new Map<string, Set<Listener>>()
  const byCard = new Map<string, Set<Listener>>()
  const byZone = new Map<string, Set<Listener>>()

  const placesOf = ({ filter }: Listener): Set<Listener>[] => {
    const { sessions, cards, zones, readable } = filter
    if (sessions) return [...sessions].map((one) => placeIn(bySession, one))
    if (cards) return [...cards].map((one) => placeIn(byCard, one))
    const narrow = zones ?? readable
    return narrow ? [...narrow].map((one) => placeIn(byZone, one)) : [wide]
  }
  return {
    get size() {
      return all.size
    },
    all: (): Iterable<Listener> => all,
    add(listener: Listener) {
      all.add(listener)
      for (const place of placesOf(listener)) place.add(listener)
    },
    remove(listener: Listener) {
      if (!all.delete(listener)) return
      for (const place of placesOf(listener)) place.delete(listener)
      for (const places of [bySession, byCard, byZone]) forgetEmpty(places, listener)
    },
    /** Each once: a listener stands under one kind of thing only. */
    *about({ session_id, card, zone_id }: StatusUpdate): Iterable<Listener> {
      yield* wide
      if (session_id !== null) yield* bySession.get(session_id) ?? []
      if (card !== null) yield* byCard.get(card) ?? []
      if (zone_id !== null) yield* byZone.get(zone_id) ?? []
    },
  }
}

function placeIn(places: Map<string, Set<Listener>>, name: string): Set<Listener> {
  const known = places.get(name)
  if (known) return known
  const made = new Set<Listener>()
  places.set(name, made)
  return made
}

function forgetEmpty(places: Map<string, Set<Listener>>, { filter }: Listener): void {
  for (const names of [filter.sessions, filter.cards, filter.zones, filter.readable]) {
    for (const name of names ?? []) if (places.get(name)?.size === 0) places.delete(name)
  }
}

/** Readings of what was missed, from Kafka, at once: after a restart all may come back together. */
const MOST_REPLAYS = 4

function createTurns(most: number): (work: () => Promise<void>) => Promise<void> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
