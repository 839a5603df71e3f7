/**
 * The records of a batch, written and read without the intermediate buffers and big integers of kafkajs 2.2.4. A header
 * whose value is null, on which kafkajs throws, is written as such. Our reader stands in the place of kafkajs's from the
 * first import of this file on; `test/unit/stream/kafkajs-records.test.ts` holds it equal to the original.
 */
import { replaceModule } from './kafkajs-module.ts'
import type { Output } from './kafkajs-output.ts'
import { type Cursor, readHeaders, readPart, readVarint } from './record-reader.ts'

type Bytes = Buffer | string | null | undefined

export interface RecordToWrite {
  key?: Bytes
  value?: Bytes
  headers?: Record<string, Bytes | Bytes[]>
}

/** Writes one record, its length first. */
export function writeRecord(output: Output, record: RecordToWrite, offsetDelta: number, timestampDelta: number): void {
  const { key, value, headers } = record
  const start = output.at
  const body = output.openSized(guessOf(record))
  output.int8(0) // attributes: none are in use
  output.varint(timestampDelta)
  output.varint(offsetDelta)
  writePart(output, key)
  writePart(output, value)
  if (headers === undefined) output.varint(0)
  else writeHeaders(output, headers)
  output.closeSized(start, body)
}

/** About the bytes of a record: exact enough to know how wide its length is, mostly. */
function guessOf({ key, value, headers }: RecordToWrite): number {
  let bytes = 8 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + 4 + (headers[name]?.length ?? 0)
  return bytes
}

function writeHeaders(output: Output, headers: NonNullable<RecordToWrite['headers']>): void {
  const names = Object.keys(headers)
  let count = 0
  for (const name of names) {
    const value = headers[name]
    count += Array.isArray(value) ? value.length : 1
  }
  output.varint(count)
  for (const name of names) {
    const value = headers[name]
    for (const item of Array.isArray(value) ? value : [value]) {
      writePart(output, name)
      writePart(output, item)
    }
  }
}

function writePart(output: Output, part: Bytes): void {
  if (part == null) output.varint(-1)
  else if (typeof part === 'string') writeText(output, part)
  else {
    output.varint(part.length)
    output.bytes(part)
  }
}

function writeText(output: Output, text: string): void {
  const start = output.at
  const body = output.openSized(text.length)
  output.text(text)
  output.closeSized(start, body)
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

replaceModule('kafkajs/src/protocol/recordBatch/record/v0/decoder.js', decodeRecord)
