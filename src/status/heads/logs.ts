/** The logs of one store: those it was opened with, which are only read, and the one of its own that it appends to. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Cursor } from './bytes.ts'
import type { Mark } from './heads.ts'
import {
  append,
  closeLog,
  createLog,
  damaged,
  endFrame,
  forget,
  hasRoom,
  type Log,
  logIdOf,
  MOST_LOGS,
  offsetOf,
  type RecordBody,
  readRecord,
} from './log.ts'

const MiB = 2 ** 20
/** A log ends at a quarter of all, within these bounds, so that cleaning the oldest is never much at once. */
const LEAST_BYTES = 4 * MiB
const MOST_BYTES = 64 * MiB

export interface Logs {
  /** Oldest first. */
  readonly all: readonly Log[]
  /** Records in all of them, outdated ones too. */
  readonly records: number
  /** Ends the frame under way and writes it. Throws what the file system throws. */
  append(
    frame: Cursor,
    records: number,
    mark: Mark | null,
    writtenAt: number,
  ): { log: Log; base: number; bytes: number }
  /** Whether a log was begun that no checkpoint names yet. */
  isNew: boolean
  /** Throws HeadsError when there is no whole record at this address. */
  read(address: number): RecordBody
  /** The oldest, to be cleaned; it is not written any more. */
  oldest(): Log
  /** Deletes the oldest. */
  drop(): void
  close(): void
}

export function createLogs(dir: string, owner: string, opened: readonly Log[]): Logs {
  const all = [...opened]
  let active: Log | null = null
  let made = 0
  const byId: (Log | undefined)[] = []
  for (const log of all) byId[log.id] = log
  const begin = (): Log => {
    let id = 0
    while (byId[id]) id++
    if (id >= MOST_LOGS) throw damaged(`${dir} has ${id} logs`)
    if (active) forget(active)
    active = createLog(dir, id, `${owner}-${made++}.log`)
    byId[id] = active
    all.push(active)
    logs.isNew = true
    return active
  }
  const ready = (bytes: number): Log => {
    const total = all.reduce((sum, { length }) => sum + length, 0)
    const most = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, total / 4))
    return active && active.length < most && hasRoom(active, bytes) ? active : begin()
  }
  const logs: Logs = {
    all,
    isNew: false,
    get records() {
      return all.reduce((sum, log) => sum + log.records, 0)
    },
    append(cursor, records, mark, writtenAt) {
      const frame = endFrame(cursor, records, mark, writtenAt)
      const log = ready(frame.length)
      const base = log.length
      append(log, frame, records)
      return { log, base, bytes: frame.length }
    },
    read(address) {
      const log = byId[logIdOf(address)]
      if (!log) throw damaged(`${dir} has no log ${logIdOf(address)}`)
      return readRecord(log, offsetOf(address))
    },
    oldest() {
      if (all[0] === active) begin()
      return all[0] as Log
    },
    drop() {
      const log = all.shift() as Log
      byId[log.id] = undefined
      closeLog(log)
      rmSync(join(dir, log.file), { force: true })
    },
    close() {
      all.splice(0).forEach(closeLog)
    },
  }
  return logs
}
