/** Chunks in a row without an id that was stored before, after which the next is written without a look. */
const ENOUGH = 4

export interface NewIds {
  /** Whether the next chunk of the partition probably holds new ids only, so that to read what is stored is a waste. */
  expected(partition: string): boolean
  /** What the last chunk of the partition turned out to hold. */
  saw(partition: string, onlyNew: boolean): void
}

/**
 * Learns for each partition whether its ids are new. A wrong guess costs time: inserts that meet a stored id fail, are
 * read and merged after all, and the partition is read again until it has earned trust anew.
 */
export function createNewIds(): NewIds {
  const inARow = new Map<string, number>()
  return {
    expected: (partition) => (inARow.get(partition) ?? 0) >= ENOUGH,
    saw: (partition, onlyNew) => inARow.set(partition, onlyNew ? (inARow.get(partition) ?? 0) + 1 : 0),
  }
}
