/** Small counts by number, of many things at once: each has a chain of cells, mostly one or two. -1: no cell. */
import { FEWEST, grown, grownCapacity } from './columns.ts'

export interface Tally {
  /** Counts `number` once more, or once less, in the chain that begins with `first`. Returns what it begins with then. */
  count(first: number, number: number, by: 1 | -1): number
  /** Number and count of each cell. */
  of(first: number): [number: number, count: number][]
}

export function createTally(): Tally {
  let numbers = new Int32Array(FEWEST)
  let counts = new Int32Array(FEWEST)
  let next = new Int32Array(FEWEST)
  let end = 0
  let free = -1

  const add = (first: number, number: number) => {
    let cell = free
    if (cell >= 0) free = next[cell] as number
    else {
      cell = end++
      if (cell === next.length) grow()
    }
    numbers[cell] = number
    counts[cell] = 1
    next[cell] = first
    return cell
  }
  const grow = () => {
    const capacity = grownCapacity(next.length)
    numbers = grown(numbers, capacity)
    counts = grown(counts, capacity)
    next = grown(next, capacity)
  }
  const drop = (first: number, before: number, cell: number) => {
    const after = next[cell] as number
    next[cell] = free
    free = cell
    if (before < 0) return after
    next[before] = after
    return first
  }

  return {
    count(first, number, by) {
      let before = -1
      let cell = first
      while (cell >= 0 && numbers[cell] !== number) {
        before = cell
        cell = next[cell] as number
      }
      if (cell < 0) return add(first, number)
      const count = (counts[cell] as number) + by
      counts[cell] = count
      return count === 0 ? drop(first, before, cell) : first
    },
    of(first) {
      const cells: [number, number][] = []
      for (let cell = first; cell >= 0; cell = next[cell] as number) {
        cells.push([numbers[cell] as number, counts[cell] as number])
      }
      return cells
    },
  }
}
