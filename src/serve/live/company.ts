/**
 * Listeners who are given together what they missed, by one reading of Kafka from where the last of them stands. A member takes
 * what lies at its own position or behind it, so nobody gets anything twice. The reading goes at the pace of its members; one
 * that holds the others up leaves, and stands where it has come to.
 */
import { setImmediate as yieldOnce } from 'node:timers/promises'
import { frameOf, reach } from './frames.ts'
import { type Item, jsonFor } from './item.ts'
import { createListeners, type Group, type Listener } from './listeners.ts'
import { earliest, latest, offsetIn, type Position, positionText } from './position.ts'

/** Reads committed updates from Kafka, from one position up to another; `onItems` gets those of one partition, in order. */
export type ReadBetween = (
  from: Position,
  to: Position,
  onItems: (items: readonly Item[]) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>

export interface Member {
  readonly listener: Listener
  /** Where it stands, as far as it was given anything; moves on. */
  position: number[]
}

export interface Company {
  /** Resolves when all have left, at the latest at the end; never rejects. */
  read(readBetween: ReadBetween, end: Position): Promise<void>
  leave(listener: Listener): void
  close(): void
}

export interface CompanyOptions {
  /** Its turn is over: all leave. */
  isOver: () => boolean
  /** Called once for each member, whose position is then where it stands. `error`: the reading failed. */
  onLeft: (member: Member, error?: unknown) => void
}

/** Items that are handed out between two looks at who can take more. */
const MOST_AT_ONCE = 100
/** Bytes that may wait for a member. */
export const MOST_WAITING = 128 * 1024
/** How long the others wait for a member that has so many: less than 64 KiB a second is for a company of its own. */
const PATIENCE_MS = 2_000

export function createCompany(all: readonly Member[], { isOver, onLeft }: CompanyOptions): Company {
  const ending = new AbortController()
  const listeners = createListeners()
  const members = new Map(all.map((member) => [member.listener, member]))
  for (const { listener } of all) listeners.add(listener)
  /** How far it was read. */
  let read = all.map(({ position }) => [...position]).reduce(earliest)

  function leave(listener: Listener, error?: unknown): void {
    const member = members.get(listener)
    if (!member) return
    members.delete(listener)
    listeners.remove(listener)
    member.position = latest(member.position, read)
    onLeft(member, error)
    if (members.size === 0) ending.abort()
  }
  const leaveAll = (error?: unknown) => {
    for (const listener of [...members.keys()]) leave(listener, error)
  }

  function give(items: readonly Item[]): void {
    const frames = new Map<Listener, string>()
    for (const item of items) {
      for (const group of listeners.wanting(item)) addFrames(frames, item, group)
      reach(read, item)
    }
    for (const [listener, text] of frames) listener.deliver([Buffer.from(text)])
  }

  function addFrames(frames: Map<Listener, string>, item: Item, { members: group, filter }: Group): void {
    const json = jsonFor(item, filter)
    for (const listener of group) {
      const { position } = members.get(listener) as Member
      if (item.offset < offsetIn(position, item.partition)) continue
      reach(position, item)
      frames.set(listener, (frames.get(listener) ?? '') + frameOf(positionText(position), json))
    }
  }

  async function waitForSlow(): Promise<void> {
    const slow = [...members.keys()].filter((listener) => listener.waiting() > MOST_WAITING)
    await Promise.all(slow.map((listener) => listener.drained(PATIENCE_MS)))
    for (const listener of slow) if (listener.waiting() > MOST_WAITING) leave(listener)
  }

  async function onItems(items: readonly Item[]): Promise<void> {
    for (let at = 0; at < items.length && members.size > 0; at += MOST_AT_ONCE) {
      give(items.slice(at, at + MOST_AT_ONCE))
      await waitForSlow()
      await yieldOnce()
      if (isOver()) leaveAll()
    }
  }

  return {
    leave,
    close: leaveAll,
    async read(readBetween, end) {
      try {
        await readBetween([...read], end, onItems, ending.signal)
        read = latest(read, end)
        leaveAll()
      } catch (error) {
        leaveAll(error) // nobody is left where that broke it off
      }
    },
  }
}
