/**
 * The checkpoint of a store: its table, and which logs it points into up to where. It is written aside and then renamed, so
 * that there is always a whole one; a checksum over all of it tells when there is not. What was appended since stands in
 * the last log behind the length named here.
 */
import { closeSync, openSync, readdirSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Mark } from './heads.ts'
import { damaged, type LogName } from './log.ts'

/** Changes with the form of anything in the store: another form is discarded. Typed arrays are as the processor has them. */
const FORMAT = `heads 1 ${endianness()}`
export const SUFFIX = '.table'
/** Room for its first line: a hundred bytes for each of at most 256 logs. */
const MOST_HEAD_BYTES = 64 * 1024

export interface Checkpoint {
  seed: number
  mark: Mark | null
  /** When its last frame was written, epoch ms. */
  writtenAt: number
  /** Oldest first. */
  logs: LogName[]
  slots: Uint32Array<ArrayBuffer>
}

/** Throws what the file system threw. */
export function writeCheckpoint(dir: string, owner: string, { slots, mark, logs, ...rest }: Checkpoint): void {
  const head = {
    format: FORMAT,
    ...rest,
    mark: mark && { offset: String(mark.offset), digest: mark.digest },
    logs: logs.map(({ id, file, length, records }) => ({ id, file, length, records })),
    bytes: slots.byteLength,
  }
  const line = Buffer.from(`${JSON.stringify(head)}\n`)
  const table = Buffer.from(slots.buffer, slots.byteOffset, slots.byteLength)
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(table, crc32(line)))
  const path = join(dir, `${owner}${SUFFIX}`)
  const fd = openSync(`${path}.new`, 'w', 0o600)
  try {
    for (const part of [line, table, sum]) {
      for (let at = 0; at < part.length; ) at += writeSync(fd, part, at)
    }
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
}

/** Throws HeadsError when it is not whole. */
function readCheckpoint(path: string): Checkpoint {
  const fd = openSync(path, 'r')
  try {
    const start = Buffer.alloc(MOST_HEAD_BYTES)
    const line = start.subarray(0, start.subarray(0, readSync(fd, start, 0, start.length, 0)).indexOf('\n') + 1)
    const { format, bytes, mark, ...rest } = JSON.parse(line.toString() || '{}')
    if (format !== FORMAT) throw damaged(`${path} has the form "${format}", which is not "${FORMAT}"`)
    // Straight into the table: it is most of the memory that a store takes.
    const slots = new Uint32Array(bytes / 4)
    const table = Buffer.from(slots.buffer)
    const sum = Buffer.alloc(4)
    const got = readSync(fd, table, 0, bytes, line.length) + readSync(fd, sum, 0, 4, line.length + bytes)
    if (got < bytes + 4 || crc32(table, crc32(line)) !== sum.readUInt32LE()) throw damaged(`${path} is damaged`)
    return { ...rest, mark: mark && { ...mark, offset: BigInt(mark.offset) }, slots }
  } finally {
    closeSync(fd)
  }
}

/**
 * The checkpoints in a directory that can be read, the furthest first. There can be several: a process that was overtaken
 * may have written its own late. Each is right for its mark.
 */
export function* readCheckpoints(dir: string, onDamaged: (error: Error) => void): Generator<Checkpoint> {
  const found: Checkpoint[] = []
  for (const file of readdirSync(dir).filter((name) => name.endsWith(SUFFIX))) {
    try {
      found.push(readCheckpoint(join(dir, file)))
    } catch (error) {
      onDamaged(error as Error)
    }
  }
  const offset = ({ mark }: Checkpoint) => mark?.offset ?? -1n
  yield* found.sort((a, b) => Number(offset(b) - offset(a)) || b.writtenAt - a.writtenAt)
}

/** Throws what the file system throws when there is no space to write in. */
export function probe(dir: string, owner: string, remove: (file: string) => void): void {
  const file = `${owner}.probe`
  writeFileSync(join(dir, file), Buffer.alloc(65_536), { mode: 0o600 })
  remove(file)
}
