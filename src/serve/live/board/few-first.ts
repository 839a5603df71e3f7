/** The first few of many, without sorting the others: a heap of as many as are wanted, the last of them at hand. */

export interface FewFirst {
  offer(row: number): void
  isFull(): boolean
  /** When it is full: the one that goes when a better one is offered. */
  last(): number
  /** In order. */
  rows(): number[]
}

/** @param compare negative: the first comes before the second. Never 0 for two rows. */
export function createFewFirst(most: number, compare: (a: number, b: number) => number): FewFirst {
  /** A row comes after both rows below it. */
  const heap: number[] = []
  const at = (place: number) => heap[place] as number

  const rise = (row: number) => {
    let place = heap.length
    for (let above = (place - 1) >> 1; place > 0 && compare(at(above), row) < 0; above = (place - 1) >> 1) {
      heap[place] = at(above)
      place = above
    }
    heap[place] = row
  }
  const sink = (row: number) => {
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below + 1 < heap.length && compare(at(below), at(below + 1)) < 0) below++
      if (below >= heap.length || compare(at(below), row) < 0) break
      heap[place] = at(below)
      place = below
    }
    heap[place] = row
  }

  return {
    offer(row) {
      if (heap.length < most) rise(row)
      else if (compare(row, at(0)) < 0) sink(row)
    },
    isFull: () => heap.length === most,
    last: () => at(0),
    rows: () => [...heap].sort(compare),
  }
}
