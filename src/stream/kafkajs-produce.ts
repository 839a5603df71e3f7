/**
 * Produce requests, written in one pass into one buffer. kafkajs 2.2.4 copies every record through eight encoders that grow
 * by doubling, computes CRC-32C in JavaScript, and groups the messages of a send in quadratic time; together half of this
 * program's time. Ours stand in the place of these inner modules from the first import of this file on.
 * `test/unit/stream/kafkajs-produce.test.ts` holds them equal to the originals, byte for byte.
 */
import { createRequire } from 'node:module'
import { crc32c } from '@node-rs/crc32'
import { replaceModule } from './kafkajs-module.ts'
import { Output } from './kafkajs-output.ts'
import { type RecordToWrite, writeRecord } from './kafkajs-records.ts'

const require = createRequire(import.meta.url)
const LATEST_MAGIC = 2
const TRANSACTIONAL = 16
const NONE = 0
const PRODUCE = 0

type Message = RecordToWrite & { timestamp?: string | number }

interface PartitionData {
  partition: number
  messages: Message[]
  firstSequence?: number
}

export interface ProduceRequest {
  acks: number
  timeout: number
  transactionalId?: string | null
  producerId?: { toString(): string } | number | string
  producerEpoch?: number
  compression?: number
  topicData: { topic: string; partitions: PartitionData[] }[]
}

/** What is encoded only when its frame is written, straight into it. */
interface Payload {
  writeTo(output: Output): void
}

const original = require('kafkajs/src/protocol/requests/produce/v3/request.js') as (request: ProduceRequest) => object

/** The request of kafkajs's produce protocol, version 3 and those that are built on it. */
export function produceRequest(request: ProduceRequest): object {
  if ((request.compression ?? NONE) !== NONE) return original(request)
  return {
    apiKey: PRODUCE,
    apiVersion: 3,
    apiName: 'Produce',
    expectResponse: () => request.acks !== 0,
    encode: (): Payload => ({ writeTo: (output) => writeProduce(output, request) }),
  }
}

function writeProduce(output: Output, request: ProduceRequest): void {
  output.string(request.transactionalId ?? null)
  output.int16(request.acks)
  output.int32(request.timeout)
  output.int32(request.topicData.length)
  for (const { topic, partitions } of request.topicData) {
    output.string(topic)
    output.int32(partitions.length)
    for (const data of partitions) {
      output.int32(data.partition)
      const size = output.reserve(4)
      writeBatch(output, request, data)
      output.int32At(size, output.at - size - 4)
    }
  }
}

/** A record batch, format 2. */
function writeBatch(output: Output, request: ProduceRequest, { messages, firstSequence = 0 }: PartitionData): void {
  const { transactionalId, producerId = -1, producerEpoch = 0 } = request
  const now = Date.now()
  const { first, last } = timesOf(messages, now)
  output.int64(0n) // first offset: the broker's to say
  const length = output.reserve(4)
  output.int32(0) // partition leader epoch
  output.int8(LATEST_MAGIC)
  const crc = output.reserve(4)
  output.int16(transactionalId ? TRANSACTIONAL : 0)
  output.int32(messages.length - 1)
  output.int64(BigInt(first))
  output.int64(BigInt(last))
  output.int64(BigInt(producerId.toString()))
  output.int16(producerEpoch)
  output.int32(firstSequence)
  output.int32(messages.length)
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Message
    writeRecord(output, message, index, Number(message.timestamp ?? now) - first)
  }
  output.int32At(length, output.at - length - 4)
  output.int32At(crc, crc32c(output.buffer.subarray(crc + 4, output.at)) | 0)
}

function timesOf(messages: Message[], now: number): { first: number; last: number } {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { timestamp } of messages) {
    const time = timestamp === undefined ? now : Number(timestamp)
    if (time < first) first = time
    if (time > last) last = time
  }
  return { first, last }
}

interface Request {
  correlationId: number
  clientId: string
  request: { apiKey: number; apiVersion: number; encode(): Payload | Promise<{ buffer: Buffer }> }
}

/** What a rare large request leaves behind is given back. */
const LARGEST_KEPT = 1 << 22
/** Every request is written here before it is copied out: nothing waits between the two. */
const scratch = new Output(LARGEST_KEPT)

/** A request with its header and its length, as it goes out on a connection. */
export async function frame({ correlationId, clientId, request }: Request): Promise<{ buffer: Buffer }> {
  const payload = await request.encode()
  scratch.at = 4
  scratch.int16(request.apiKey)
  scratch.int16(request.apiVersion)
  scratch.int32(correlationId)
  scratch.string(clientId)
  if ('writeTo' in payload) payload.writeTo(scratch)
  else scratch.bytes(payload.buffer)
  scratch.int32At(0, scratch.at - 4)
  const buffer = scratch.copy()
  scratch.shrink()
  return { buffer }
}

interface Grouping {
  topic: string
  partitionMetadata: unknown[]
  messages: Message[]
  partitioner: (about: { topic: string; partitionMetadata: unknown[]; message: Message }) => number
}

/** Messages by partition, in order. */
export function groupByPartition({ topic, partitionMetadata, messages, partitioner }: Grouping) {
  const groups: Record<number, Message[]> = {}
  if (partitionMetadata.length === 0) return groups
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message })
    const group = groups[partition]
    if (group === undefined) groups[partition] = [message]
    else group.push(message)
  }
  return groups
}

replaceModule('kafkajs/src/protocol/requests/produce/v3/request.js', produceRequest)
replaceModule('kafkajs/src/protocol/request.js', frame)
replaceModule('kafkajs/src/producer/groupMessagesPerPartition.js', groupByPartition)
