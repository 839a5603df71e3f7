/** The numbers that each session has: what is counted, filtered and sorted by. The rest is in its record. */
import { FEWEST, grown, grownCapacity } from './columns.ts'
import type { Links } from './links.ts'

export const USED = 1
export const PARKED = 2
export const OVERDUE = 4

export interface Rows {
  /** One above the last row that was ever taken. */
  readonly end: number
  readonly size: number
  flags: Uint8Array<ArrayBuffer>
  /** Where its record is. */
  place: Uint32Array<ArrayBuffer>
  /** Its newest observed time. */
  occurredAt: Float64Array<ArrayBuffer>
  /** Of a parked session: when it becomes overdue. Of another: when it leaves. Infinity: never. */
  due: Float64Array<ArrayBuffer>
  /** Where it stands in its heap of what is due; -1: in none. */
  heapAt: Int32Array<ArrayBuffer>
  /** Number of its zone, and of its status word; -1: it has none. */
  zone: Int32Array<ArrayBuffer>
  word: Int32Array<ArrayBuffer>
  byZone: Links
  byCard: Links
  take(): number
  give(row: number): void
}

export function createRows(): Rows {
  const links = () => ({ prev: new Int32Array(FEWEST), next: new Int32Array(FEWEST) })
  let size = 0
  let end = 0
  let free = -1
  const rows: Rows = {
    get end() {
      return end
    },
    get size() {
      return size
    },
    flags: new Uint8Array(FEWEST),
    place: new Uint32Array(FEWEST),
    occurredAt: new Float64Array(FEWEST),
    due: new Float64Array(FEWEST),
    heapAt: new Int32Array(FEWEST),
    zone: new Int32Array(FEWEST),
    word: new Int32Array(FEWEST),
    byZone: links(),
    byCard: links(),
    take() {
      let row = free
      if (row >= 0) free = rows.byZone.next[row] as number
      else {
        row = end++
        if (row === rows.flags.length) grow(rows)
      }
      size++
      rows.flags[row] = USED
      rows.heapAt[row] = -1
      rows.zone[row] = -1
      rows.word[row] = -1
      return row
    },
    give(row) {
      size--
      rows.flags[row] = 0
      rows.byZone.next[row] = free
      free = row
    },
  }
  return rows
}

function grow(rows: Rows): void {
  const capacity = grownCapacity(rows.flags.length)
  rows.flags = grown(rows.flags, capacity)
  rows.place = grown(rows.place, capacity)
  rows.occurredAt = grown(rows.occurredAt, capacity)
  rows.due = grown(rows.due, capacity)
  rows.heapAt = grown(rows.heapAt, capacity)
  rows.zone = grown(rows.zone, capacity)
  rows.word = grown(rows.word, capacity)
  for (const links of [rows.byZone, rows.byCard]) {
    links.prev = grown(links.prev, capacity)
    links.next = grown(links.next, capacity)
  }
}
