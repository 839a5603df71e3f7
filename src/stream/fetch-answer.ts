/**
 * What a broker answers to a fetch, read down to its record batches. kafkajs gives records only, so that a batch without
 * any that count (markers, aborted, compacted away) is lost with its offsets; and it takes a record whose key is four
 * zero bytes for an abort marker. The filter here is that of Java's consumer, by batch.
 */
import { createRequire } from 'node:module'
import type { KafkaMessage } from 'kafkajs'
import { readRecords } from './record-reader.ts'

const compression = createRequire(import.meta.url)('kafkajs/src/protocol/message/compression/index.js')

export interface AbortedTransaction {
  producerId: bigint
  firstOffset: bigint
}

/** The answer for one partition. */
export interface Fetched {
  /** 0: no error. */
  errorCode: number
  lastStableOffset: bigint
  /** In offset order; of the transactions that are among `records`. */
  aborted: AbortedTransaction[]
  records: Buffer
}

/** The answer of a broker, for the partitions of one topic. */
export interface FetchAnswer {
  /** For kafkajs, which waits so long before its next request. */
  clientSideThrottleTime: number
  /** 0: no error. */
  errorCode: number
  /** Empty where the broker throttles, or refuses all. */
  partitions: Map<number, Fetched>
}

interface Cursor {
  bytes: Buffer
  at: number
  version: number
}

/** Reads the answer to a fetch of partitions of one topic. */
export function decodeFetch(bytes: Buffer, version: number): FetchAnswer {
  const answer: FetchAnswer = {
    // Since version 8 it is for the client to wait.
    clientSideThrottleTime: version >= 8 ? bytes.readInt32BE(0) : 0,
    errorCode: version >= 7 ? bytes.readInt16BE(4) : 0,
    partitions: new Map(),
  }
  const cursor: Cursor = { bytes, at: version >= 7 ? 10 : 4, version }
  for (let topics = readInt(cursor); topics > 0; topics--) {
    cursor.at += 2 + bytes.readInt16BE(cursor.at)
    for (let count = readInt(cursor); count > 0; count--) {
      const partition = readInt(cursor)
      answer.partitions.set(partition, readPartition(cursor))
    }
  }
  return answer
}

function readInt(cursor: Cursor): number {
  cursor.at += 4
  return cursor.bytes.readInt32BE(cursor.at - 4)
}

const NOTHING = Buffer.alloc(0)

function readPartition(cursor: Cursor): Fetched {
  const { bytes, at, version } = cursor
  const fetched: Fetched = {
    errorCode: bytes.readInt16BE(at),
    lastStableOffset: bytes.readBigInt64BE(at + 10),
    aborted: [],
    records: NOTHING,
  }
  cursor.at += version >= 5 ? 26 : 18
  for (let count = readInt(cursor); count > 0; count--, cursor.at += 16) {
    const producerId = bytes.readBigInt64BE(cursor.at)
    fetched.aborted.push({ producerId, firstOffset: bytes.readBigInt64BE(cursor.at + 8) })
  }
  fetched.aborted.sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  if (version >= 11) cursor.at += 4 // the preferred replica: the leader is what we ask
  const size = readInt(cursor)
  if (size > 0) fetched.records = bytes.subarray(cursor.at, cursor.at + size)
  cursor.at += Math.max(0, size)
  return fetched
}

export interface RecordBatch {
  baseOffset: bigint
  /** Also where the last records were compacted away. */
  lastOffset: bigint
  producerId: bigint
  isTransactional: boolean
  isControl: boolean
  bytes: Buffer
}

const HEADER_BYTES = 61

/** The whole batches; the broker cuts the last one off where the answer is full. */
export function batchesOf(records: Buffer): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let at = 0; records.length - at >= HEADER_BYTES; ) {
    const end = at + 12 + records.readInt32BE(at + 8)
    if (end > records.length) break
    const magic = records[at + 16]
    if (magic !== 2) throw new Error(`a record batch has format ${magic}, of before Kafka 0.11: rewrite its topic`)
    const attributes = records.readInt16BE(at + 21)
    const baseOffset = records.readBigInt64BE(at)
    batches.push({
      baseOffset,
      lastOffset: baseOffset + BigInt(records.readInt32BE(at + 23)),
      producerId: records.readBigInt64BE(at + 43),
      isTransactional: (attributes & 0x10) !== 0,
      isControl: (attributes & 0x20) !== 0,
      bytes: records.subarray(at, end),
    })
    at = end
  }
  return batches
}

/** Without markers and what was aborted. */
export function committedOf(batches: readonly RecordBatch[], aborted: readonly AbortedTransaction[]): RecordBatch[] {
  const aborting = new Set<bigint>()
  let next = 0
  return batches.filter((batch) => {
    for (let one = aborted[next]; one && one.firstOffset <= batch.lastOffset; one = aborted[++next]) {
      aborting.add(one.producerId)
    }
    if (!batch.isControl) return !(batch.isTransactional && aborting.has(batch.producerId))
    if (isAbortMarker(batch)) aborting.delete(batch.producerId)
    return false
  })
}

/** A marker is one record whose key is a version and a type: 0 aborts, 1 commits. It may have been compacted away. */
function isAbortMarker({ bytes }: RecordBatch): boolean {
  if (bytes.readInt32BE(57) < 1) return false
  const body = bytes.subarray(HEADER_BYTES)
  const [marker] = readRecords({ body, count: 1, baseOffset: 0, baseTimestamp: 0, withHeaders: false })
  return marker?.key?.readInt16BE(2) === 0
}

/** The records of a batch, decompressed. */
export async function messagesOf({ bytes, baseOffset }: RecordBatch, withHeaders: boolean): Promise<KafkaMessage[]> {
  const attributes = bytes.readInt16BE(21)
  const codec = compression.lookupCodecByAttributes(attributes)
  const body = bytes.subarray(HEADER_BYTES)
  const messages = readRecords({
    body: codec ? await codec.decompress(body) : body,
    count: bytes.readInt32BE(57),
    baseOffset: Number(baseOffset),
    baseTimestamp: Number(bytes.readBigInt64BE(27)),
    withHeaders,
  })
  if ((attributes & LOG_APPEND_TIME) !== 0) {
    const timestamp = String(bytes.readBigInt64BE(35)) // the batch's time is that of all its records
    for (const message of messages) message.timestamp = timestamp
  }
  return messages
}

const LOG_APPEND_TIME = 0x8
