/** What is still to happen, earliest first; equal times in the order they were added, so that a run can be repeated. */
export interface Agenda<T> {
  readonly size: number
  /** Time of the next entry, or Infinity. */
  readonly next: number
  add(at: number, what: T): void
  take(): { at: number; what: T } | undefined
}

interface Entry<T> {
  at: number
  turn: number
  what: T
}

/** A binary heap. */
export function createAgenda<T>(): Agenda<T> {
  const heap: Entry<T>[] = []
  let turn = 0
  return {
    get size() {
      return heap.length
    },
    get next() {
      return heap[0]?.at ?? Number.POSITIVE_INFINITY
    },
    add(at, what) {
      rise(heap, { at, turn: turn++, what })
    },
    take() {
      const first = heap[0]
      const last = heap.pop()
      if (first && last && heap.length > 0) sink(heap, last)
      return first
    },
  }
}

const before = <T>(a: Entry<T>, b: Entry<T>) => a.at < b.at || (a.at === b.at && a.turn < b.turn)

function rise<T>(heap: Entry<T>[], entry: Entry<T>): void {
  let place = heap.length
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above] as Entry<T>
    if (before(parent, entry)) break
    heap[place] = parent
    place = above
  }
  heap[place] = entry
}

function sink<T>(heap: Entry<T>[], entry: Entry<T>): void {
  let place = 0
  for (;;) {
    let below = 2 * place + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && before(heap[below + 1] as Entry<T>, heap[below] as Entry<T>)) below++
    if (before(entry, heap[below] as Entry<T>)) break
    heap[place] = heap[below] as Entry<T>
    place = below
  }
  heap[place] = entry
}
