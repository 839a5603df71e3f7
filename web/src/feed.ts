import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { createStore, type Store } from './store.ts'

/** A row of the feed: an update, or a note about the stream itself. */
export type Row = { key: number; at: number } & ({ update: StatusUpdate } | { note: string })

export interface FeedView {
  /** Newest first. */
  rows: readonly Row[]
  /** How many came since the rows stand still. */
  waiting: number
  paused: boolean
}

/**
 * What came last, newest first, at most `most` rows. Rows change once a frame however many arrive, and not at all while
 * the reader has paused them or is pointing at one.
 */
export interface Feed {
  view: Store<FeedView>
  /** Of all that was taken since the start. */
  total(): number
  add(update: StatusUpdate): void
  note(text: string): void
  pause(): void
  resume(): void
  /** Holds still for as long as somebody reads. */
  hold(held: boolean): void
  clear(): void
}

interface FeedOptions {
  most: number
  /** Runs something with the next frame. */
  nextFrame(run: () => void): void
  now(): number
}

export function createFeed({ most, nextFrame, now }: FeedOptions): Feed {
  const view = createStore<FeedView>({ rows: [], waiting: 0, paused: false })
  const seen = createSeen(4 * most)
  let arrived: Row[] = []
  let waiting = 0
  let total = 0
  let keys = 0
  let paused = false
  let held = false
  let due = false

  function show(): void {
    due = false
    let { rows } = view.get()
    if (!paused && !held) {
      if (arrived.length > 0) rows = [...arrived.reverse(), ...rows].slice(0, most)
      arrived = []
      waiting = 0
    }
    view.set({ rows, waiting, paused })
  }

  function soon(): void {
    if (due) return
    due = true
    nextFrame(show)
  }

  function push(row: Row): void {
    arrived.push(row)
    // Cut seldom, so that a burst does not shift an array for each update.
    if (arrived.length > 2 * most) arrived = arrived.slice(-most)
    soon()
  }

  return {
    view,
    total: () => total,
    add(update) {
      if (!seen(update.id)) return
      total++
      waiting++
      push({ key: keys++, at: now(), update })
    },
    note: (text) => push({ key: keys++, at: now(), note: text }),
    pause() {
      paused = true
      show()
    },
    resume() {
      paused = false
      show()
    },
    hold(next) {
      if (held === next) return
      held = next
      show()
    },
    clear() {
      arrived = []
      waiting = 0
      view.set({ rows: [], waiting, paused })
    },
  }
}

/** Whether an id is new; of so many that came last. A stream that goes on after a break may send some again. */
function createSeen(most: number): (id: string) => boolean {
  const ids = new Set<string>()
  return (id) => {
    if (ids.has(id)) return false
    ids.add(id)
    if (ids.size > most) ids.delete(ids.values().next().value as string)
    return true
  }
}
