import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Head } from '../fold.ts'
import { type Cursor, readVarint } from './bytes.ts'
import { type Checkpoint, SUFFIX, writeCheckpoint } from './checkpoint.ts'
import { type Cleaner, createCleaner } from './cleaner.ts'
import { type Heads, HeadsError, type Mark, secondsOf } from './heads.ts'
import {
  addressOf,
  asHeadsError,
  beginFrame,
  beginRecord,
  endRecord,
  type Log,
  readFrame,
  recordsOf,
  reserve,
} from './log.ts'
import { createLogs, type Logs } from './logs.ts'
import { hasKey, packedBound, packHead, packKey, unpackHead } from './pack.ts'
import { createTable, hashOf, type Table } from './table.ts'

const MiB = 2 ** 20
/** A frame is cut at this size. */
const FRAME_BYTES = 4 * MiB
/** A checkpoint is due after so many bytes, or as many as the table has. */
const SAVE_BYTES = 4 * MiB
/** Addresses remembered between a get and the put that follows. */
const MOST_KNOWN = 20_000
const HOUR_MS = 3_600_000

/** A record of the frame under way: where it is, and where its key is. */
interface Placed {
  start: number
  from: number
  to: number
  hash: number
  /** Newest time in seconds, rounded up; -1: the key has ended. */
  seconds: number
  /** The address of its head when that was read last. */
  known: number | undefined
}

/** A checkpoint whose logs are open. */
export type Stored = Omit<Checkpoint, 'logs'> & { logs: Log[] }

/** What `openHeadsOnDisk` opens. */
export class DiskHeads implements Heads {
  #dir: string
  #owner: string
  #now: () => number
  #seed: number
  #table: Table
  #logs: Logs
  #mark: Mark | null
  #writtenAt: number
  /** Bytes written since the last checkpoint. */
  #unsaved = 0
  #cleaner: Cleaner
  #isDamaged = false
  #isClosed = false
  /** Checkpoints of former owners, which the first of this one replaces. */
  #former: string[] = []
  #frame: Cursor = { buffer: Buffer.allocUnsafe(64 * 1024), at: 0 }
  #key: Cursor = { buffer: Buffer.allocUnsafe(4_096), at: 0 }
  #known = new Map<string, number>()

  constructor(dir: string, owner: string, now: () => number, stored: Stored | null) {
    this.#dir = dir
    this.#owner = owner
    this.#now = now
    this.#seed = stored?.seed ?? randomBytes(4).readUInt32LE()
    this.#table = createTable(stored?.slots)
    this.#logs = createLogs(dir, owner, stored?.logs ?? [])
    this.#cleaner = createCleaner(this.#logs, this.#table, this.#seed)
    this.#mark = stored?.mark ?? null
    this.#writtenAt = stored?.writtenAt ?? now()
    const last = stored?.logs.at(-1)
    if (last) this.#replay(last)
  }

  get size(): number {
    return this.#table.size
  }

  get mark(): Mark | null {
    return this.#mark
  }

  /** When the last frame was written, epoch ms. */
  get writtenAt(): number {
    return this.#writtenAt
  }

  get(key: string): Head | undefined {
    return this.#guarded(() => {
      const wanted = this.#key
      wanted.at = 0
      reserve(wanted, packedBound(key, null))
      const from = packKey(wanted, key)
      let head: Head | null = null
      this.#table.find(hashOf(wanted.buffer, from, wanted.at, this.#seed), (address) => {
        const body = this.#logs.read(address)
        if (!hasKey(body, wanted.buffer, from, wanted.at)) return false
        head = unpackHead(body, body.end)
        if (this.#known.size >= MOST_KNOWN) this.#known.clear()
        this.#known.set(key, address)
        return true
      })
      return head ?? undefined
    })
  }

  put(changes: Iterable<readonly [string, Head | null]>, mark: Mark | null): void {
    this.#guarded(() => {
      const before = this.#unsaved
      const frame = this.#frame
      let placed: Placed[] = []
      beginFrame(frame)
      for (const [key, head] of changes) {
        placed.push(this.#place(key, head))
        if (frame.at < FRAME_BYTES) continue
        this.#write(placed, null)
        placed = []
        beginFrame(frame)
      }
      this.#write(placed, mark)
      this.#known.clear()
      this.#clean(this.#unsaved - before)
      if (this.#logs.isNew || this.#unsaved > Math.max(SAVE_BYTES, this.#table.slots.byteLength)) this.#save()
    })
  }

  due(before: number, slices: number): string[] {
    return this.#guarded(() => {
      // Nothing may be written for days, and the store is as new as this round.
      if (this.#now() - this.#writtenAt > HOUR_MS) this.put([], null)
      return this.#table.before(Math.max(0, Math.floor(before / 1_000)), slices).map((address) => {
        const body = this.#logs.read(address)
        const size = readVarint(body)
        return body.buffer.toString('utf8', body.at, body.at + size)
      })
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      if (this.#isDamaged) rmSync(this.#dir, { recursive: true, force: true })
      else if (this.#unsaved > 0) this.#save()
    } catch {
      // The last checkpoint and what was appended since are enough, and what is damaged is found so again.
    }
    this.#logs.close()
  }

  discard(): void {
    this.#isDamaged = true
    this.close()
  }

  /** Deletes the files of former owners that it does not go on from. */
  sweepFiles(): void {
    const needed = new Set(this.#logs.all.map(({ file }) => file))
    for (const file of readdirSync(this.#dir)) {
      if (needed.size > 0 && file.endsWith(SUFFIX)) this.#former.push(file)
      else if (!needed.has(file)) this.#remove(file)
    }
  }

  /** Takes in what stands in the last log behind the checkpoint, as far as it is whole. */
  #replay(log: Log): void {
    for (let frame = readFrame(log, log.length); frame; frame = readFrame(log, log.length)) {
      const base = log.length
      log.length += frame.bytes.length
      log.records += frame.records
      for (const { start, body } of recordsOf(frame)) {
        const size = readVarint(body)
        const [from, to] = [body.at, body.at + size]
        body.at = to
        const seconds = secondsOf(unpackHead(body, body.end))
        const hash = hashOf(frame.bytes, from, to, this.#seed)
        this.#index(log, base, frame.bytes, { start, from, to, hash, seconds, known: undefined })
      }
      this.#mark = frame.mark ?? this.#mark
      this.#writtenAt = Math.max(this.#writtenAt, frame.writtenAt) // what was only moved is older
      this.#unsaved += frame.bytes.length
    }
  }

  #place(key: string, head: Head | null): Placed {
    const frame = this.#frame
    reserve(frame, packedBound(key, head))
    const start = beginRecord(frame)
    const from = packKey(frame, key)
    const to = frame.at
    packHead(frame, head)
    endRecord(frame, start)
    const hash = hashOf(frame.buffer, from, to, this.#seed)
    return { start, from, to, hash, seconds: secondsOf(head), known: this.#known.get(key) }
  }

  /** Appends the frame; once it is there the table and the mark move. */
  #write(placed: Placed[], mark: Mark | null): void {
    const now = this.#now()
    const { log, base, bytes } = this.#logs.append(this.#frame, placed.length, mark, now)
    this.#unsaved += bytes
    for (const one of placed) this.#index(log, base, this.#frame.buffer, one)
    this.#mark = mark ?? this.#mark
    this.#writtenAt = now
  }

  #index(log: Log, base: number, bytes: Buffer, { start, from, to, hash, seconds, known }: Placed): void {
    const isIt = (address: number) => address === known || hasKey(this.#logs.read(address), bytes, from, to)
    const slot = this.#table.find(hash, isIt)
    if (seconds >= 0) this.#table.set(slot, hash, addressOf(log, base + start), seconds)
    else if (slot >= 0) this.#table.remove(slot)
  }

  #clean(written: number): void {
    const { moved, emptied } = this.#cleaner.clean(written)
    this.#unsaved += moved
    if (!emptied) return
    this.#save(emptied) // what the checkpoint names must be there
    this.#logs.drop()
  }

  /** Writes the checkpoint, without a log that is about to go, and deletes those of others. */
  #save(without?: Log): void {
    const [seed, mark, writtenAt, { slots }] = [this.#seed, this.#mark, this.#writtenAt, this.#table]
    const logs = this.#logs.all.filter((log) => log !== without)
    writeCheckpoint(this.#dir, this.#owner, { seed, mark, writtenAt, logs, slots })
    this.#logs.isNew = false
    this.#unsaved = 0
    for (const file of this.#former.splice(0)) this.#remove(file)
  }

  #remove(file: string): void {
    rmSync(join(this.#dir, file), { force: true })
  }

  #guarded<T>(work: () => T): T {
    // Its file descriptors may be those of other files by now.
    if (this.#isClosed) throw new HeadsError(`the heads in ${this.#dir} are closed`, { isDamaged: false })
    try {
      return work()
    } catch (error) {
      const known = asHeadsError(error, this.#dir)
      this.#isDamaged ||= known.isDamaged
      throw known
    }
  }
}
