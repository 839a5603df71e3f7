/** Rows by a text that stands in their records, so that the index itself holds no text. */
import { createTable, hashOf } from '../../../status/heads/table.ts'
import { writeText } from './short-text.ts'

export interface TextIndex {
  /** -1: none. */
  rowOf(text: string): number
  /** There must be none; it is faster when that was the last question. */
  add(text: string, row: number): void
  /** Returns the row that it had before, or -1. */
  set(text: string, row: number): number
  /** There must be one. */
  delete(text: string): void
}

/** @param isAt whether the first `size` of `bytes` are the text, in UTF-8, of a row. */
export function createTextIndex(seed: number, isAt: (row: number, bytes: Buffer, size: number) => boolean): TextIndex {
  const table = createTable()
  let text = Buffer.allocUnsafe(4_096)
  let size = 0
  let hash = 0
  let row = -1
  let last: string | null = null

  const hashText = (wanted: string) => {
    if (3 * wanted.length > text.length) text = Buffer.allocUnsafe(3 * wanted.length)
    size = writeText(text, wanted, 0)
    hash = hashOf(text, 0, size, seed)
    last = wanted
  }
  const slotOf = (wanted: string) => {
    hashText(wanted)
    row = -1
    return table.find(hash, (address) => {
      if (!isAt(address - 1, text, size)) return false
      row = address - 1
      return true
    })
  }

  return {
    rowOf(wanted) {
      slotOf(wanted)
      return row
    },
    add(wanted, newRow) {
      if (wanted !== last) hashText(wanted)
      table.set(-1, hash, newRow + 1, 0)
    },
    set(wanted, newRow) {
      const slot = slotOf(wanted)
      if (slot >= 0) table.move(slot, newRow + 1)
      else table.set(-1, hash, newRow + 1, 0)
      return row
    },
    delete: (wanted) => table.remove(slotOf(wanted)),
  }
}
