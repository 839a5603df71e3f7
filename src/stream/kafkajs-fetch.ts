/**
 * kafkajs 2.2.4 gives up the whole answer to a fetch over one record batch that cannot be read, such as one that a disk has
 * spoiled: no partition of that broker goes on any more. Here a partition has what stands before such a batch, the others
 * have all, and `unreadable` tells who wants to know.
 */
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { replaceModule } from './kafkajs-module.ts'
import './kafkajs-records.ts'

export interface UnreadableBatch {
  topic: string
  partition: number
  /** Of its first record. */
  offset: string
  error: Error
}

/** Emits `batch` each time that an answer has nothing for a partition but one that cannot be read. */
export const unreadable = new EventEmitter<{ batch: [UnreadableBatch] }>()
unreadable.setMaxListeners(0) // each consumer listens

/** As much of kafkajs's decoder as is used here. */
interface Decoder {
  readInt16(): number
  readInt32(): number
  readInt64(): bigint | object
  readString(): string
  readBytes(length: number): Buffer
  canReadBytes(length: number): boolean
  readArray<T>(read: (decoder: Decoder) => T): T[]
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>
}

const require = createRequire(import.meta.url)
const PATH = 'kafkajs/src/protocol/requests/fetch/v11/response.js'
const DecoderOf: new (bytes: Buffer) => Decoder = require('kafkajs/src/protocol/decoder.js')
const readBatch: (decoder: Decoder) => Promise<{ records: object[] }> =
  require('kafkajs/src/protocol/recordBatch/v0/decoder.js')
const readMessageSet: (decoder: Decoder, size: number) => Promise<object[]> =
  require('kafkajs/src/protocol/messageSet/decoder.js')

const SIZE_AT = 8
const MAGIC_AT = 16
const MAGIC_OF_BATCHES = 2
/** Of a batch without records. */
const BATCH_BYTES = 49

async function readRecords(bytes: Buffer, failed: (offset: string, error: Error) => void): Promise<object[]> {
  const decoder = new DecoderOf(bytes)
  if (bytes.readInt8(MAGIC_AT) !== MAGIC_OF_BATCHES) return readMessageSet(decoder, bytes.length)
  const records: object[] = []
  let at = 0
  while (decoder.canReadBytes(BATCH_BYTES)) {
    try {
      records.push(...(await readBatch(decoder)).records)
    } catch (error) {
      // The last one may be cut off by the size of the answer. And what stands before a bad one is to be taken first.
      const isBad = (error as Error).name !== 'KafkaJSPartialMessageError' && records.length === 0
      if (isBad) failed(String(bytes.readBigInt64BE(at)), error as Error)
      break
    }
    at += bytes.readInt32BE(at + SIZE_AT) + SIZE_AT + 4
  }
  return records
}

async function readPartition(decoder: Decoder, topic: string) {
  const partition = decoder.readInt32()
  const header = {
    partition,
    errorCode: decoder.readInt16(),
    highWatermark: String(decoder.readInt64()),
    lastStableOffset: String(decoder.readInt64()),
    lastStartOffset: String(decoder.readInt64()),
    abortedTransactions: decoder.readArray((one) => ({
      producerId: String(one.readInt64()),
      firstOffset: String(one.readInt64()),
    })),
    preferredReadReplica: decoder.readInt32(),
  }
  const size = decoder.readInt32()
  if (size <= 0 || !decoder.canReadBytes(size)) return { ...header, messages: [] }
  const tell = (offset: string, error: Error) => unreadable.emit('batch', { topic, partition, offset, error })
  return { ...header, messages: await readRecords(decoder.readBytes(size), tell) }
}

async function readTopic(decoder: Decoder) {
  const topicName = decoder.readString()
  return { topicName, partitions: await decoder.readArrayAsync((one) => readPartition(one, topicName)) }
}

/** An answer of Kafka's Fetch API, version 11, in the shape that kafkajs gives it. */
export async function decodeFetchAnswer(bytes: Buffer) {
  const decoder = new DecoderOf(bytes)
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  const sessionId = decoder.readInt32()
  const responses = await decoder.readArrayAsync(readTopic)
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

replaceModule(PATH, { ...require(PATH), decode: decodeFetchAnswer })
