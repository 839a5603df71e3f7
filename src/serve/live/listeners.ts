/** Who listens, found by the narrowest thing that they ask for: an update is not compared with thousands of filters. */
import { type Filter, type Item, isWanted } from './item.ts'

/** A client, as far as updates are handed to it. */
export interface Listener {
  readonly filter: Filter
  /** Takes whole frames; never throws. */
  deliver(frames: readonly Uint8Array[]): void
  /** Bytes that wait to be read by the other side. */
  waiting(): number
  /** Resolves when nothing waits, when it is gone, and at the latest after so long. */
  drained(mostMs: number): Promise<void>
  /** Ends it, saying why. */
  drop(reason: DropReason): void
  readonly isGone: boolean
}

export type DropReason = 'slow' | 'stopping' | 'credentials' | 'unavailable'

/** Those who want the same get the same bytes, which are made, and held while they wait, once. */
export interface Group {
  readonly key: string
  readonly filter: Filter
  readonly members: Set<Listener>
}

export interface Listeners {
  add(listener: Listener): void
  remove(listener: Listener): void
  has(listener: Listener): boolean
  /** Each once. */
  wanting(item: Item): readonly Group[]
  readonly size: number
}

const NONE: readonly Group[] = []

export function createListeners(): Listeners {
  const groupOf = new Map<Listener, Group>()
  const groups = new Map<string, Group>()
  const wide = new Set<Group>()
  const [bySession, byCard, byZone] = [new Places(), new Places(), new Places()]

  /** A group stands under one kind of thing only, so that it is found once. */
  const stand = (group: Group, act: 'add' | 'delete') => {
    const { sessions, cards, zones, readable } = group.filter
    if (sessions) bySession[act](sessions, group)
    else if (cards) byCard[act](cards, group)
    else if (zones ?? readable) byZone[act]((zones ?? readable) as ReadonlySet<string>, group)
    else wide[act](group)
  }
  return {
    get size() {
      return groupOf.size
    },
    has: (listener) => groupOf.has(listener),
    add(listener) {
      const key = keyOf(listener.filter)
      const group = groups.get(key) ?? { key, filter: listener.filter, members: new Set() }
      if (group.members.size === 0) {
        groups.set(key, group)
        stand(group, 'add')
      }
      group.members.add(listener)
      groupOf.set(listener, group)
    },
    remove(listener) {
      const group = groupOf.get(listener)
      if (!group) return
      groupOf.delete(listener)
      group.members.delete(listener)
      if (group.members.size > 0) return
      groups.delete(group.key)
      stand(group, 'delete')
    },
    wanting(item) {
      if (groups.size === 0) return NONE
      const found: Group[] = []
      for (const place of [wide, bySession.of(item.session_id), byCard.of(item.card), byZone.of(item.zone_id)])
        for (const group of place ?? NONE) if (isWanted(item, group.filter)) found.push(group)
      return found
    },
  }
}

/** Groups by a session, a card, or a zone. */
class Places {
  readonly #groups = new Map<string, Set<Group>>()

  of(name: string | null): ReadonlySet<Group> | undefined {
    return name === null ? undefined : this.#groups.get(name)
  }

  add(names: ReadonlySet<string>, group: Group): void {
    for (const name of names) {
      const place = this.#groups.get(name) ?? new Set()
      this.#groups.set(name, place.add(group))
    }
  }

  delete(names: ReadonlySet<string>, group: Group): void {
    for (const name of names) {
      const place = this.#groups.get(name)
      place?.delete(group)
      if (place?.size === 0) this.#groups.delete(name)
    }
  }
}

function keyOf({ all, zones, sessions, cards, kinds, readable, showsCards }: Filter): string {
  const sorted = [zones, sessions, cards, kinds, readable].map((set) => set && [...set].sort())
  return JSON.stringify([all, showsCards, ...sorted])
}
