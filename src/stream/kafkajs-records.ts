/**
 * The records of a batch, written and read without the intermediate buffers and big integers of kafkajs 2.2.4, which
 * there take a third of this program's time. It also writes a header whose value is null, on which kafkajs throws.
 *
 * kafkajs loads these two inner modules at its first produce and first fetch; ours stand in their place from the first
 * import of this file on. `test/unit/stream/kafkajs-records.test.ts` holds them equal to the originals.
 */
import { createRequire } from 'node:module'

type Bytes = Buffer | string | null | undefined

interface RecordToWrite {
  offsetDelta?: number
  timestampDelta?: number
  key?: Bytes
  value?: Bytes
  headers?: Record<string, Bytes | Bytes[]>
}

/** What kafkajs takes for an encoder: it copies `buffer` into the batch. */
interface Encoded {
  buf: Buffer
  buffer: Buffer
}

/** Bytes of a part; -1 for null, as the format has it. */
const sizeOf = (part: Bytes) => (part == null ? -1 : typeof part === 'string' ? Buffer.byteLength(part) : part.length)

const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value)

function varintSize(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 0x80; rest /= 0x80) size++
  return size
}

const partSize = (size: number) => varintSize(size) + Math.max(0, size)

/** Writes one record into a buffer of just its size. */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers }: RecordToWrite): Encoded {
  const pairs = headers ? pairsOf(headers) : []
  const keySize = sizeOf(key)
  const valueSize = sizeOf(value)
  let body = 1 + varintSize(timestampDelta) + varintSize(offsetDelta) + partSize(keySize) + partSize(valueSize)
  body += varintSize(pairs.length)
  for (const [name, item] of pairs) body += partSize(Buffer.byteLength(name)) + partSize(sizeOf(item))
  const buffer = Buffer.allocUnsafe(varintSize(body) + body)
  let at = writeVarint(buffer, 0, body)
  buffer[at++] = 0 // attributes: none are in use
  at = writeVarint(buffer, at, timestampDelta)
  at = writeVarint(buffer, at, offsetDelta)
  at = writePart(buffer, at, key, keySize)
  at = writePart(buffer, at, value, valueSize)
  at = writeVarint(buffer, at, pairs.length)
  for (const [name, item] of pairs) {
    at = writePart(buffer, at, name, Buffer.byteLength(name))
    at = writePart(buffer, at, item, sizeOf(item))
  }
  return { buf: buffer, buffer }
}

function pairsOf(headers: Record<string, Bytes | Bytes[]>): [string, Bytes][] {
  const pairs: [string, Bytes][] = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (Array.isArray(value)) for (const item of value) pairs.push([name, item])
    else pairs.push([name, value])
  }
  return pairs
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = zigzag(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[at++] = (rest % 0x80) | 0x80
  buffer[at++] = rest
  return at
}

function writePart(buffer: Buffer, at: number, part: Bytes, size: number): number {
  const start = writeVarint(buffer, at, size)
  if (part == null) return start
  if (typeof part === 'string') buffer.write(part, start)
  else part.copy(buffer, start)
  return start + size
}

/** What kafkajs knows of the batch that a record is in. */
interface BatchContext {
  firstOffset: string
  firstTimestamp: string
  maxTimestamp: string
  magicByte: number
  isControlBatch?: boolean
  /** 1: LogAppendTime, the batch's time is that of all its records. */
  timestampType: number
}

interface Cursor {
  buffer: Buffer
  at: number
}

/** Reads one record; the result has the fields of a kafkajs message. */
export function decodeRecord({ buffer }: { buffer: Buffer }, batchContext: BatchContext) {
  const cursor: Cursor = { buffer, at: 1 }
  const attributes = buffer.readInt8(0)
  const timestampDelta = readVarint(cursor)
  const offsetDelta = readVarint(cursor)
  const { firstOffset, firstTimestamp, maxTimestamp, magicByte, isControlBatch = false, timestampType } = batchContext
  return {
    magicByte,
    attributes,
    timestamp: timestampType === 1 && maxTimestamp ? maxTimestamp : String(Number(firstTimestamp) + timestampDelta),
    offset: String(Number(firstOffset) + offsetDelta),
    key: readPart(cursor),
    value: readPart(cursor),
    headers: readHeaders(cursor),
    isControlRecord: isControlBatch,
    batchContext,
  }
}

function readHeaders(cursor: Cursor): Record<string, Buffer | null | (Buffer | null)[]> {
  // Without a prototype any name is a plain key.
  const headers: Record<string, Buffer | null | (Buffer | null)[]> = Object.create(null)
  for (let count = readVarint(cursor); count > 0; count--) {
    const name = readPart(cursor)?.toString() ?? 'null'
    const value = readPart(cursor)
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (Array.isArray(before)) before.push(value)
    else headers[name] = [before, value]
  }
  return headers
}

function readVarint(cursor: Cursor): number {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = cursor.buffer[cursor.at++]
    if (byte === undefined) throw new RangeError('a record ends within a number')
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    factor *= 0x80
  }
}

function readPart(cursor: Cursor): Buffer | null {
  const size = readVarint(cursor)
  if (size < 0) return null
  const start = cursor.at
  cursor.at += size
  return cursor.buffer.subarray(start, cursor.at)
}

const require = createRequire(import.meta.url)
for (const [path, exports] of [
  ['kafkajs/src/protocol/recordBatch/record/v0/index.js', encodeRecord],
  ['kafkajs/src/protocol/recordBatch/record/v0/decoder.js', decodeRecord],
] as const) {
  require(path)
  const loaded = require.cache?.[require.resolve(path)]
  if (loaded) loaded.exports = exports
}
