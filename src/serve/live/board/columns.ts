/** Numbers of many things as columns of typed arrays: a few bytes each, and nothing for the garbage collector to walk. */

type Column = Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

export const FEWEST = 64
/** Little at a time: what is grown beyond the need is memory lost. */
const GROWTH = 1.2

export const grownCapacity = (capacity: number): number => Math.ceil(capacity * GROWTH)

/** A longer column with the same beginning; the rest is `fill`. The old one is given back at once, and must not be used. */
export function grown<T extends Column>(column: T, capacity: number, fill = 0): T {
  const longer = new (column.constructor as new (length: number) => T)(capacity)
  longer.set(column)
  if (fill !== 0) longer.fill(fill, column.length)
  column.buffer.transfer(0)
  return longer
}
