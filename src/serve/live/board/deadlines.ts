/** Rows by when they are due, the earliest at hand: a binary heap that knows where each row stands. */
import { FEWEST, grown, grownCapacity } from './columns.ts'
import type { Rows } from './rows.ts'

export interface Deadlines {
  /** `rows.due` says when. */
  add(row: number): void
  remove(row: number): void
  /** The row that is due first, if that is before `now`; else -1. */
  before(now: number): number
}

export function createDeadlines(rows: Rows): Deadlines {
  let heap = new Int32Array(FEWEST)
  let size = 0

  const put = (row: number, at: number) => {
    heap[at] = row
    rows.heapAt[row] = at
  }
  /** Finds `row` a place at `from` or above it. */
  const rise = (row: number, from: number) => {
    const due = rows.due[row] as number
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as number
      if ((rows.due[above] as number) <= due) break
      put(above, at)
      at = parent
    }
    put(row, at)
  }
  /** Moves the earlier of two below up, from `from` on, until there is none below. Returns the place that is then empty. */
  const sink = (from: number) => {
    let at = from
    for (let child = 1; ; at = child) {
      child = 2 * at + 1
      if (child >= size) return at
      if (
        child + 1 < size &&
        (rows.due[heap[child + 1] as number] as number) < (rows.due[heap[child] as number] as number)
      )
        child++
      put(heap[child] as number, at)
    }
  }

  return {
    add(row) {
      if (size === heap.length) heap = grown(heap, grownCapacity(size))
      rise(row, size++)
    },
    remove(row) {
      const at = rows.heapAt[row] as number
      rows.heapAt[row] = -1
      const last = heap[--size] as number
      if (last !== row) rise(last, sink(at))
    },
    before(now) {
      const first = heap[0] as number
      return size > 0 && (rows.due[first] as number) < now ? first : -1
    },
  }
}
