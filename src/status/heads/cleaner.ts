/**
 * Keeps the logs small: what still counts in the oldest is appended anew, and the oldest then goes. It does so in proportion
 * to what is written, so that at most about as many records are outdated as there are heads.
 */
import { type Cursor, readVarint } from './bytes.ts'
import {
  addressOf,
  beginFrame,
  beginRecord,
  damaged,
  type Frame,
  type Log,
  readFrame,
  recordsOf,
  reserve,
} from './log.ts'
import type { Logs } from './logs.ts'
import { hashOf, type Table } from './table.ts'

/** Outdated records, beside as many as there are heads, before it begins. */
const SPARE_RECORDS = 20_000
const MOST_LOGS = 16
/** Bytes looked through at least at a time, and for each byte written. */
const LEAST_BYTES = 256 * 1024
const RATE = 4

export interface Cleaner {
  /**
   * Does its share after `written` bytes. Returns how many bytes it moved, and the oldest log once nothing in it counts any
   * more. Throws HeadsError when that log is damaged.
   */
  clean(written: number): { moved: number; emptied: Log | null }
}

export function createCleaner(logs: Logs, table: Table, seed: number): Cleaner {
  const frame: Cursor = { buffer: Buffer.allocUnsafe(64 * 1024), at: 0 }
  let oldest: Log | null = null
  /** How far the oldest is done. */
  let done = 0

  const move = (from: Log, base: number, { records, bytes, ...rest }: Frame): number => {
    const moved: { slot: number; start: number }[] = []
    beginFrame(frame)
    for (const { start, body } of recordsOf({ records, bytes })) {
      const address = addressOf(from, base + start)
      const size = readVarint(body)
      const hash = hashOf(bytes, body.at, body.at + size, seed)
      const slot = table.find(hash, (other) => other === address)
      if (slot < 0) continue
      reserve(frame, body.end - start)
      const copy = beginRecord(frame)
      frame.at = copy + bytes.copy(frame.buffer, copy, start, body.end)
      moved.push({ slot, start: copy })
    }
    if (moved.length === 0) return 0
    const to = logs.append(frame, moved.length, null, rest.writtenAt)
    for (const { slot, start } of moved) table.move(slot, addressOf(to.log, to.base + start))
    return to.bytes
  }

  return {
    clean(written) {
      if (!oldest) {
        const isLean = logs.records <= 2 * table.size + SPARE_RECORDS && logs.all.length <= MOST_LOGS
        if (isLean) return { moved: 0, emptied: null }
        oldest = logs.oldest()
        done = 0
      }
      let moved = 0
      for (const until = done + Math.max(LEAST_BYTES, RATE * written); done < Math.min(oldest.length, until); ) {
        const next = readFrame(oldest, done)
        if (!next) throw damaged(`${oldest.file} is damaged at ${done}`)
        moved += move(oldest, done, next)
        done += next.bytes.length
      }
      if (done < oldest.length) return { moved, emptied: null }
      const emptied = oldest
      oldest = null
      return { moved, emptied }
    },
  }
}
