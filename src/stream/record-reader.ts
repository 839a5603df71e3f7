/** Reads records, and their parts, as kafkajs's messages have them, from one buffer and with no other copies. */
import type { IHeaders, KafkaMessage } from 'kafkajs'

export interface Cursor {
  buffer: Buffer
  at: number
}

export interface RecordsOf {
  /** What follows the header of a record batch, decompressed. */
  body: Buffer
  count: number
  baseOffset: number
  baseTimestamp: number
  /** Reading them takes as long as all the rest. */
  withHeaders: boolean
}

export function readRecords({ body, count, baseOffset, baseTimestamp, withHeaders }: RecordsOf): KafkaMessage[] {
  const cursor: Cursor = { buffer: body, at: 0 }
  const records: KafkaMessage[] = []
  while (records.length < count) {
    const size = readVarint(cursor)
    const end = cursor.at + size
    const attributes = body.readInt8(cursor.at++)
    const timestamp = String(baseTimestamp + readVarint(cursor))
    const offset = String(baseOffset + readVarint(cursor))
    const record = { attributes, timestamp, offset, key: readPart(cursor), value: readPart(cursor) }
    records.push((withHeaders ? { ...record, headers: readHeaders(cursor) } : record) as KafkaMessage)
    if (cursor.at > end || end > body.length) throw new RangeError(`the record at offset ${offset} ends within a part`)
    cursor.at = end
  }
  return records
}

export function readHeaders(cursor: Cursor): IHeaders {
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
  return headers as IHeaders // kafkajs's type knows no null, which a header may be
}

/** A zigzag number of up to 53 bits. */
export function readVarint(cursor: Cursor): number {
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

export function readPart(cursor: Cursor): Buffer | null {
  const size = readVarint(cursor)
  if (size < 0) return null
  const start = cursor.at
  cursor.at += size
  return cursor.buffer.subarray(start, cursor.at)
}
