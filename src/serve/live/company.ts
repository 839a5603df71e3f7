/**
 * Listeners who are given together what they missed, by one reading of Kafka from where the last of them stands. A member takes
 * what lies at its own position or behind it, so nobody gets anything twice. The reading goes at the pace of its members; one
 * that holds the others up leaves, and stands where it has come to.
 */
import { framesOf } from './frames.ts'
import type { Item } from './item.ts'
import type { Listener } from './listeners.ts'
import type { Pacer } from './pacer.ts'
import { earliest, latest, offsetIn, type Position } from './position.ts'

/** Reads committed updates from Kafka, from one position up to another; `onItems` gets those of one partition, in order. */
export type ReadBetween = (
  from: Position,
  to: Position,
  onItems: (items: readonly Item[]) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>

export interface Member {
  readonly listener: Listener
  /** Where it stands; moves on with what it is given. */
  position: number[]
}

export interface Company {
  /** Resolves when all have left, at the latest at the end; never rejects. */
  read(readBetween: ReadBetween, end: Position): Promise<void>
  leave(listener: Listener): void
  close(): void
}

export interface CompanyOptions {
  pacer: Pacer
  /** Its turn is over: all leave. */
  isOver: () => boolean
  /** Called once for each member. `error`: the reading failed. */
  onLeft: (member: Member, error?: unknown) => void
}

/** What is handed out between two looks at who can take more: items, and their characters. */
const MOST_AT_ONCE = 100
const MOST_CHARACTERS = 128 * 1024
/** Bytes that may wait for a member. */
export const MOST_WAITING = 128 * 1024
/** How long the others wait for a member that has so many: less than 64 KiB a second is for a company of its own. */
const PATIENCE_MS = 2_000

export function createCompany(all: readonly Member[], { pacer, isOver, onLeft }: CompanyOptions): Company {
  const ending = new AbortController()
  const members = new Map(all.map((member) => [member.listener, member]))

  function leave(listener: Listener, error?: unknown): void {
    const member = members.get(listener)
    if (!member) return
    members.delete(listener)
    onLeft(member, error)
    if (members.size === 0) ending.abort()
  }
  const leaveAll = (error?: unknown) => {
    for (const listener of [...members.keys()]) leave(listener, error)
  }

  function give({ listener, position }: Member, items: readonly Item[]): void {
    if (!members.has(listener)) return
    const missed = items.filter(({ partition, offset }) => offset >= offsetIn(position, partition))
    const { frames } = framesOf(missed, position, listener.filter, Number.POSITIVE_INFINITY)
    if (frames.length > 0) listener.deliver([frames])
  }

  async function waitForSlow(): Promise<void> {
    const slow = [...members.keys()].filter((listener) => listener.waiting() > MOST_WAITING)
    await Promise.all(slow.map((listener) => listener.drained(PATIENCE_MS)))
    for (const listener of slow) if (listener.waiting() > MOST_WAITING) leave(listener)
  }

  async function onItems(items: readonly Item[]): Promise<void> {
    for (const some of slicesOf(items)) {
      if (members.size === 0) return
      await Promise.all(Array.from(members.values(), (member) => pacer.run(() => give(member, some))))
      await waitForSlow()
      if (isOver()) leaveAll()
    }
  }

  return {
    leave,
    close: leaveAll,
    async read(readBetween, end) {
      try {
        const from = all.map(({ position }) => [...position]).reduce(earliest)
        await readBetween(from, end, onItems, ending.signal)
        for (const member of members.values()) member.position = latest(member.position, end)
        leaveAll()
      } catch (error) {
        leaveAll(error) // nobody is left where that broke it off
      }
    },
  }
}

function* slicesOf(items: readonly Item[]): Iterable<readonly Item[]> {
  for (let from = 0; from < items.length; ) {
    let to = from
    for (let characters = 0; to < items.length && to - from < MOST_AT_ONCE && characters < MOST_CHARACTERS; to++)
      characters += items[to]?.json.length ?? 0
    yield items.slice(from, to)
    from = to
  }
}
