/** What is counted of each zone, and which sessions are in it. A zone is there while it has a session, or a history. */
import { FEWEST, grown, grownCapacity } from './columns.ts'
import { link, unlink } from './links.ts'
import { createNames, type Names } from './names.ts'
import { OVERDUE, PARKED, type Rows } from './rows.ts'
import { createTally } from './tally.ts'

export interface Counts {
  parked: number
  overdue: number
  /** Numbers of status words, and how many of those parked have each. */
  byWord: [word: number, count: number][]
}

export interface Zones {
  readonly names: Names
  /** Puts a row into a zone, and takes it out of the one where it is; null: into none. */
  place(row: number, zone: string | null): void
  /** Counts what `rows` says of a row, or no longer does, in the zone where it is. */
  count(row: number, by: 1 | -1): void
  countOverdue(row: number, by: 1 | -1): void
  /** Zeros for a number that no zone has. */
  countsOf(zone: number): Counts
  parkedIn(zone: number): number
  /** Its first session, in no order; `rows.byZone` has the others. -1: none. */
  firstIn(zone: number): number
}

export function createZones(rows: Rows): Zones {
  const names = createNames()
  const tally = createTally()
  let parked = new Int32Array(FEWEST)
  let overdue = new Int32Array(FEWEST)
  /** The beginnings of chains and lists, plus one, so that 0 is none. */
  let cells = new Int32Array(FEWEST)
  let first = new Int32Array(FEWEST)

  const grow = () => {
    const capacity = grownCapacity(names.end)
    parked = grown(parked, capacity)
    overdue = grown(overdue, capacity)
    cells = grown(cells, capacity)
    first = grown(first, capacity)
  }
  const firstIn = (zone: number) => (first[zone] ?? 0) - 1
  const add = (counts: Int32Array, zone: number, by: number) => {
    counts[zone] = (counts[zone] as number) + by
  }
  const zoneOf = (row: number) => rows.zone[row] as number

  return {
    names,
    place(row, name) {
      const from = zoneOf(row)
      if (from >= 0) {
        if (name === names.textOf(from)) return
        first[from] = (unlink(rows.byZone, row) ?? firstIn(from)) + 1
        names.release(from)
      }
      rows.zone[row] = name === null ? -1 : names.hold(name)
      if (name === null) return
      if (names.end > first.length) grow()
      const to = zoneOf(row)
      first[to] = link(rows.byZone, row, firstIn(to)) + 1
    },
    count(row, by) {
      const zone = zoneOf(row)
      const flags = rows.flags[row] as number
      if (zone < 0 || !(flags & PARKED)) return
      add(parked, zone, by)
      if (flags & OVERDUE) add(overdue, zone, by)
      cells[zone] = tally.count((cells[zone] as number) - 1, rows.word[row] as number, by) + 1
    },
    countOverdue(row, by) {
      if (zoneOf(row) >= 0) add(overdue, zoneOf(row), by)
    },
    countsOf: (zone) => ({
      ...{ parked: parked[zone] ?? 0, overdue: overdue[zone] ?? 0 },
      byWord: tally.of((cells[zone] ?? 0) - 1),
    }),
    parkedIn: (zone) => parked[zone] ?? 0,
    firstIn,
  }
}
