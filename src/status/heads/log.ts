/**
 * Files that are only ever appended to, in frames: the heads of one committed chunk and its mark, under one checksum. Each
 * record in it has a checksum of its own too, so that one head can be read alone.
 *
 *   frame   magic, checksum of all that follows, bytes of records, count, mark, digest, time (40 bytes), records
 *   record  checksum of its body, bytes of its body (8 bytes), body; begins at a multiple of 8
 *
 * An address is 32 bits: the log's number (8) and the place in it in units of 8 bytes (24), so a log ends at 128 MiB.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Cursor } from './bytes.ts'
import { HeadsError, type Mark } from './heads.ts'

const MAGIC = 0x31_68_6d_70
const FRAME_HEADER = 40
const RECORD_HEADER = 8
export const MOST_LOGS = 256
const MOST_UNITS = 2 ** 24
const NOTHING = Buffer.alloc(0)
const MOST_RECENT = 2 ** 20

export interface LogName {
  /** 0 to 255, the upper bits of its addresses. */
  id: number
  file: string
  /** Bytes that count; there may be more, which then another wrote. */
  length: number
  records: number
}

export interface Log extends LogName {
  fd: number
  /** The last bytes of it, from `recentFrom` on, where this process wrote them: what is hot is read from here. */
  recent: Buffer
  recentFrom: number
}

export interface Frame {
  records: number
  mark: Mark | null
  writtenAt: number
  /** The header and the records. */
  bytes: Buffer
}

/** Key and head of a record: the bytes from `at` to `end`. */
export interface RecordBody extends Cursor {
  end: number
}

export const damaged = (what: string, cause?: unknown) => new HeadsError(what, { isDamaged: true, cause })

/** What went wrong in `dir`: either the file system said so, or what is there makes no sense. */
export function asHeadsError(error: unknown, dir: string): HeadsError {
  if (error instanceof HeadsError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || code.startsWith('ERR_')) return damaged(`${dir} makes no sense: ${message}`, error)
  const remedy = code === 'ENOSPC' || code === 'EDQUOT' ? 'make room on that disk' : 'let this process write there'
  const what = `the heads in ${dir} (STATE_DIR) cannot be kept: ${message}. To mend it, ${remedy}`
  return new HeadsError(what, { isDamaged: false, cause: error })
}

export function createLog(dir: string, id: number, file: string): Log {
  const fd = openSync(join(dir, file), 'wx+', 0o600)
  return { id, file, length: 0, records: 0, fd, recent: NOTHING, recentFrom: 0 }
}

/** Throws HeadsError when it is not there, or shorter than it must be. */
export function openLog(dir: string, name: LogName): Log {
  const path = join(dir, name.file)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (cause) {
    throw damaged(`${path} cannot be opened`, cause)
  }
  if (fstatSync(fd).size >= name.length) return { ...name, fd, recent: NOTHING, recentFrom: Number.POSITIVE_INFINITY }
  closeSync(fd)
  throw damaged(`${path} is cut short`)
}

export const closeLog = ({ fd }: Log): void => closeSync(fd)

export const addressOf = ({ id }: LogName, offset: number): number => ((id << 24) | (offset / 8)) >>> 0
export const logIdOf = (address: number): number => address >>> 24
export const offsetOf = (address: number): number => (address & (MOST_UNITS - 1)) * 8

/** Whether a frame of `bytes` still fits where its addresses can reach. */
export const hasRoom = ({ length }: LogName, bytes: number): boolean => length + bytes < MOST_UNITS * 8

/** Begins a frame; records follow. */
export function beginFrame(to: Cursor): void {
  to.at = FRAME_HEADER
}

/** Room for `bytes` more, and the frame's end. */
export function reserve(to: Cursor, bytes: number): void {
  const needed = to.at + bytes + 8
  if (needed <= to.buffer.length) return
  const larger = Buffer.allocUnsafe(2 * needed)
  to.buffer.copy(larger, 0, 0, to.at)
  to.buffer = larger
}

/** Begins a record; the body is written where the cursor then stands. Returns where the record begins. */
export function beginRecord(to: Cursor): number {
  const start = Math.ceil(to.at / 8) * 8
  to.buffer.fill(0, to.at, start)
  to.at = start + RECORD_HEADER
  return start
}

export function endRecord(to: Cursor, start: number): void {
  const body = start + RECORD_HEADER
  to.buffer.writeUInt32LE(crc32(to.buffer.subarray(body, to.at)), start)
  to.buffer.writeUInt32LE(to.at - body, start + 4)
}

/** Fills in the header of the frame from 0 to where the cursor stands. */
export function endFrame(to: Cursor, records: number, mark: Mark | null, writtenAt: number): Buffer {
  const end = Math.ceil(to.at / 8) * 8
  to.buffer.fill(0, to.at, end)
  const frame = to.buffer.subarray(0, end)
  frame.writeUInt32LE(MAGIC, 0)
  frame.writeUInt32LE(end - FRAME_HEADER, 8)
  frame.writeUInt32LE(records, 12)
  frame.writeBigInt64LE(mark?.offset ?? -1n, 16)
  frame.write((mark?.digest ?? '').padEnd(16, '0'), 24, 'hex')
  frame.writeDoubleLE(writtenAt, 32)
  frame.writeUInt32LE(crc32(frame.subarray(8)), 4)
  return frame
}

/** Writes a frame at the end, whole. Throws what the file system threw; what was written of it then does not count. */
export function append(log: Log, frame: Buffer, records: number): void {
  for (let at = 0; at < frame.length; ) {
    at += writeSync(log.fd, frame, at, frame.length - at, log.length + at)
  }
  remember(log, frame)
  log.length += frame.length
  log.records += records
}

/** Has it read from the file alone from now on. */
export function forget(log: Log): void {
  log.recent = NOTHING
  log.recentFrom = Number.POSITIVE_INFINITY
}

function remember(log: Log, frame: Buffer): void {
  const used = log.length - log.recentFrom
  if (used + frame.length > log.recent.length) {
    // Twice as much room, or the newer half of what there is.
    const kept = Math.min(used, MOST_RECENT / 2)
    const room = Math.min(Math.max(2 * (kept + frame.length), 64 * 1024), Math.max(MOST_RECENT, kept + frame.length))
    const larger = room > log.recent.length ? Buffer.allocUnsafeSlow(room) : log.recent
    log.recent.copy(larger, 0, used - kept, used)
    log.recent = larger
    log.recentFrom = log.length - kept
  }
  frame.copy(log.recent, log.length - log.recentFrom)
}

/** The frame at `offset`; null when there is no whole and right one. */
export function readFrame(log: Log, offset: number): Frame | null {
  const header = Buffer.alloc(FRAME_HEADER)
  if (readSync(log.fd, header, 0, FRAME_HEADER, offset) < FRAME_HEADER || header.readUInt32LE(0) !== MAGIC) return null
  const size = FRAME_HEADER + header.readUInt32LE(8)
  if (offset + size > fstatSync(log.fd).size) return null
  const bytes = Buffer.allocUnsafe(size)
  if (readSync(log.fd, bytes, 0, size, offset) < size || crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return null
  const markedTo = bytes.readBigInt64LE(16)
  return {
    bytes,
    records: bytes.readUInt32LE(12),
    mark: markedTo < 0n ? null : { offset: markedTo, digest: bytes.toString('hex', 24, 32) },
    writtenAt: bytes.readDoubleLE(32),
  }
}

/** The records of a whole frame: where each begins, and its body. */
export function* recordsOf({
  records,
  bytes,
}: Pick<Frame, 'records' | 'bytes'>): Generator<{ start: number; body: RecordBody }> {
  let start = FRAME_HEADER
  for (let i = 0; i < records; i++) {
    const end = start + RECORD_HEADER + bytes.readUInt32LE(start + 4)
    yield { start, body: { buffer: bytes, at: start + RECORD_HEADER, end } }
    start = Math.ceil(end / 8) * 8
  }
}

const FIRST_READ = 256
let scratch = Buffer.allocUnsafe(4_096)

/** The record at `offset`, valid until the next call. Throws HeadsError when what the disk gives is not what was written. */
export function readRecord(log: Log, offset: number): RecordBody {
  const at = offset - log.recentFrom + RECORD_HEADER
  if (offset >= log.recentFrom && offset < log.length) {
    return { buffer: log.recent, at, end: at + log.recent.readUInt32LE(at - 4) }
  }
  let got = readSync(log.fd, scratch, 0, Math.max(0, Math.min(FIRST_READ, log.length - offset)), offset)
  const size = got < RECORD_HEADER ? 0 : scratch.readUInt32LE(4)
  const end = RECORD_HEADER + size
  if (size === 0 || offset + end > log.length) throw damaged(`${log.file} has no record at ${offset}`)
  if (end > got) {
    if (end > scratch.length) scratch = Buffer.allocUnsafe(2 * end)
    got = readSync(log.fd, scratch, 0, end, offset)
  }
  if (end > got || crc32(scratch.subarray(RECORD_HEADER, end)) !== scratch.readUInt32LE(0)) {
    throw damaged(`${log.file} is damaged at ${offset}`)
  }
  return { buffer: scratch, at: RECORD_HEADER, end }
}
