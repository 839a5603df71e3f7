/**
 * Status updates to all who listen, as server-sent events. The id of an event is the position after it, in all partitions, so that
 * who comes back with it goes on just there. A listener is in one of these states, and has had all that it wants up to its position:
 *
 * - *ahead*: it comes with a position that was not read here yet (from another server, or of a topic that is no more). It is
 *   waited for; if it does not come though Kafka answers, the listener is told `reset`, and begins now.
 * - *behind*: it is given what it missed, as fast as it reads: from memory if all of that is there, else from Kafka.
 * - *here*: it hears each update as it comes. One that reads too slowly for that falls behind, and is dropped when memory no longer
 *   holds what it missed. So is, in any state, one that takes nothing for half a minute. Nobody is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MOST_WAITING, type ReadBetween } from './company.ts'
import { BEAT, beatAt, frameOf, framesOf, RESET } from './frames.ts'
import { type Item, jsonFor } from './item.ts'
import { createListeners, type Group, type Listener } from './listeners.ts'
import { createOutbox } from './outbox.ts'
import { createPacer } from './pacer.ts'
import { distance, isWithin, moveTo, offsetIn, type Position } from './position.ts'
import { createRecentItems } from './recent-items.ts'
import { createReplays } from './replays.ts'

// What a client's side needs of this room, from one file.
export type { DropReason, Listener } from './listeners.ts'

export interface Hub {
  /** A partition is read from here on; before anybody listens. */
  begin(partition: number, offset: number): void
  /** Updates of one partition, in order, and where it goes on after them. */
  publish(partition: number, items: readonly Item[], next: number): void
  /** Resolves when there is no hurry: who publishes more waits for it. */
  settled(): Promise<void>
  position(): Position
  /** From now on, or from a position on. Resolves when it is here, or gone. Rejects when what it missed cannot be read. */
  join(listener: Listener, from: Position | null): Promise<void>
  leave(listener: Listener): void
  /** Tells it that it is still connected and, where it is here, its position. */
  beat(listener: Listener): void
  /** Listeners in any state. */
  readonly size: number
  close(): void
}

export interface HubOptions {
  /** Updates of a partition that are kept in memory. */
  mostRecent: number
  readBetween: ReadBetween
  /** Kafka does not answer. */
  isAway: () => boolean
  /** How long a position that lies ahead is waited for. */
  aheadMs?: number
  /** Before a reading that failed is tried again. */
  pauseMs?: number
}

/** Of frames that are made at once for one who is behind. */
const MOST_CHARACTERS = 64 * 1024
/** A listener that takes nothing for so long. */
const STALL_MS = 30_000
const LOOK_MS = 250
/** Readings that may fail one after the other. */
const MOST_FAILURES = 5

export function createHub(options: HubOptions): Hub {
  const { mostRecent, readBetween, isAway, aheadMs = 5_000, pauseMs = 2_000 } = options
  const recent = createRecentItems(mostRecent)
  const position: number[] = []
  const present = new Set<Listener>()
  const here = createListeners()
  const outbox = createOutbox()
  const pacer = createPacer()
  const replays = createReplays({ readBetween, pacer, end: () => [...position] })
  let isClosed = false

  /** Made once for each group, and once for each that may see cards or not. */
  function framesByGroup(partition: number, items: readonly Item[]): Map<Group, string> {
    const frames = new Map<Group, string>()
    const texts = position.map((offset) => offset.toString(36))
    for (const item of items) {
      const groups = here.wanting(item)
      if (groups.length === 0) continue
      texts[partition] = (item.offset + 1).toString(36)
      const id = texts.join('.')
      for (const group of groups)
        frames.set(group, (frames.get(group) ?? '') + frameOf(id, jsonFor(item, group.filter)))
    }
    return frames
  }

  function arrive(listener: Listener): void {
    listener.deliver([beatAt(position)])
    here.add(listener)
  }

  function fallBehind(listener: Listener, from: Position): void {
    here.remove(listener)
    outbox.flush(listener)
    catchUp(listener, from, async () => {
      listener.drop('slow')
      return []
    })
  }

  /** @param elsewhere gives what memory does not hold, and resolves to the position after it. */
  async function catchUp(
    listener: Listener,
    from: Position,
    elsewhere: (own: Position) => Promise<number[]>,
  ): Promise<void> {
    let own = [...from]
    while (!listener.isGone) {
      if (!(await hasRoom(listener))) return listener.drop('slow')
      const outcome = await pacer.run(() => giveRecent(listener, own))
      if (outcome === 'here') return
      if (outcome === 'elsewhere') own = await elsewhere(own)
    }
  }

  /** Gives a part of what memory holds; `own` moves on. */
  function giveRecent(listener: Listener, own: number[]): 'here' | 'elsewhere' | 'more' {
    const missed = recent.since(own)
    if (missed === null) return 'elsewhere'
    const { frames, isAll } = framesOf(missed, own, listener.filter, MOST_CHARACTERS)
    if (frames.length > 0) listener.deliver([frames])
    if (!isAll || listener.isGone) return 'more'
    arrive(listener)
    return 'here'
  }

  async function replay(listener: Listener, from: Position): Promise<number[]> {
    let own = [...from]
    for (let failures = 0; !listener.isGone; ) {
      const { position: reached, error } = await replays.replay(listener, own)
      if (error === undefined) return reached
      failures = distance(own, reached) > 0 ? 1 : failures + 1
      if (failures > MOST_FAILURES) throw error
      own = reached
      await sleep(pauseMs)
    }
    return own
  }

  async function isReached(from: Position, listener: Listener): Promise<boolean> {
    for (let left = aheadMs; !isWithin(from, position) && !listener.isGone; ) {
      if (left <= 0) return false
      await sleep(LOOK_MS)
      if (!isAway()) left -= LOOK_MS
    }
    return true
  }

  return {
    begin(partition, offset) {
      moveTo(position, partition, offset)
      recent.begin(partition, offset)
    },
    publish(partition, items, next) {
      moveTo(position, partition, offsetIn(position, partition)) // it may be a new one
      const slow = new Set<Listener>()
      for (const [group, text] of framesByGroup(partition, items)) {
        const frames = Buffer.from(text)
        for (const listener of group.members) {
          if (listener.waiting() > MOST_WAITING) slow.add(listener)
          else outbox.put(listener, frames)
        }
      }
      const before = slow.size > 0 ? [...position] : position
      recent.add(partition, items)
      moveTo(position, partition, next)
      for (const listener of slow) fallBehind(listener, before)
    },
    settled: outbox.settled,
    position: () => [...position],
    async join(listener, from) {
      if (isClosed) return listener.drop('stopping')
      present.add(listener)
      if (from !== null && !(await isReached(from, listener))) listener.deliver([RESET])
      else if (from !== null) return catchUp(listener, from, (own) => replay(listener, own))
      if (!listener.isGone) arrive(listener)
    },
    leave(listener) {
      present.delete(listener)
      here.remove(listener)
      outbox.forget(listener)
      replays.leave(listener)
    },
    beat(listener) {
      if (here.has(listener)) outbox.put(listener, beatAt(position))
      else listener.deliver([BEAT])
    },
    get size() {
      return present.size
    },
    close() {
      isClosed = true
      for (const listener of [...present]) listener.drop('stopping')
      replays.close()
    },
  }
}

/** Whether little waits to be read, or is soon. */
async function hasRoom(listener: Listener): Promise<boolean> {
  for (let before = Number.POSITIVE_INFINITY; listener.waiting() > MOST_WAITING; ) {
    const left = listener.waiting()
    if (left >= before) return false
    before = left
    await listener.drained(STALL_MS)
  }
  return true
}
