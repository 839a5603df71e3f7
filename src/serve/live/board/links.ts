/** Rows in doubly linked lists: each row is in at most one of the lists over the same links. -1: there is none. */
export interface Links {
  prev: Int32Array<ArrayBuffer>
  next: Int32Array<ArrayBuffer>
}

/** Puts `row` before `first`; it is then the first. */
export function link({ prev, next }: Links, row: number, first: number): number {
  prev[row] = -1
  next[row] = first
  if (first >= 0) prev[first] = row
  return row
}

/** Takes `row` out. Returns what the list begins with now, or undefined where that is what it was. */
export function unlink({ prev, next }: Links, row: number): number | undefined {
  const before = prev[row] as number
  const after = next[row] as number
  if (after >= 0) prev[after] = before
  if (before < 0) return after
  next[before] = after
}
