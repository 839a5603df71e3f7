import { createRequire } from 'node:module'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'

const require = createRequire(import.meta.url)
const original = {
  request: require('kafkajs/src/protocol/requests/produce/v3/request.js'),
  frame: require('kafkajs/src/protocol/request.js'),
  group: require('kafkajs/src/producer/groupMessagesPerPartition.js'),
}
// Only now: importing it puts ours in the place of the originals.
const { frame, groupByPartition, produceRequest } = await import('../../../src/stream/kafkajs-produce.ts')
const { Output } = await import('../../../src/stream/kafkajs-output.ts')
const Long = require('kafkajs/src/utils/long.js')

const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('é'), minLength: 30, maxLength: 70 }),
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  text,
)
const part = fc.oneof(bytes, fc.constant(null))
/** kafkajs mixes up a header with what every object inherits under its name. */
const name = text.filter((drawn) => !(drawn in {}))
const time = fc.integer({ min: 1_000_000_000_000, max: 9_000_000_000_000 })
/** kafkajs sorts times as texts, takes those of some records for the whole batch, and 0 for the present. */
const record = fc.record(
  {
    key: part,
    value: part,
    headers: fc.dictionary(name, fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })), { maxKeys: 5 }),
  },
  { requiredKeys: ['value'] },
)
const timed = fc.tuple(record, time).map(([drawn, timestamp]) => ({ ...drawn, timestamp: String(timestamp) }))
const partition = fc.record({
  partition: fc.nat(100),
  messages: fc.oneof(fc.array(record, { minLength: 1, maxLength: 5 }), fc.array(timed, { minLength: 1, maxLength: 5 })),
  firstSequence: fc.nat(2 ** 31 - 1),
})
const request = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.constant(30_000),
  transactionalId: fc.oneof(fc.constant(undefined), fc.string({ maxLength: 30 })),
  producerId: fc.oneof(
    fc.constant(-1),
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((id) => Long.fromValue(id.toString())),
  ),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  topicData: fc.array(
    fc.record({ topic: fc.string({ maxLength: 40 }), partitions: fc.array(partition, { minLength: 1, maxLength: 3 }) }),
    { minLength: 1, maxLength: 2 },
  ),
})

afterEach(() => {
  jest.useRealTimers()
})

describe('a produce request', () => {
  test('is written as kafkajs writes it, header, batches and checksum', async () => {
    jest.useFakeTimers({ now: 1_795_520_000_000, doNotFake: ['nextTick', 'queueMicrotask'] })
    await fc.assert(
      fc.asyncProperty(request, fc.nat(2 ** 31 - 1), fc.string({ maxLength: 20 }), async (drawn, correlationId, id) => {
        const header = { correlationId, clientId: id }
        const expected = await original.frame({ ...header, request: original.request(drawn) })
        const written = await frame({ ...header, request: produceRequest(drawn as never) as never })
        expect(written.buffer.equals(expected.buffer)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('may carry a header whose value is null', async () => {
    const drawn = { acks: 1, timeout: 1, topicData: [topicOf({ value: 'x', headers: { none: null } })] }
    const { buffer } = await frame({ correlationId: 1, clientId: 'c', request: produceRequest(drawn) as never })
    expect(buffer.subarray(-6)).toEqual(Buffer.from([8, ...Buffer.from('none'), 1]))
  })

  test('with compression is left to kafkajs', async () => {
    const drawn = { acks: 1, timeout: 1, compression: 1, topicData: [topicOf({ value: 'x' })] }
    const header = { correlationId: 1, clientId: 'c' }
    const { buffer } = await frame({ ...header, request: produceRequest(drawn) as never })
    const before = 4 + 8 + 3 + 2 + 2 + 4 + 4 + 3 + 4 + 4 + 4
    expect(buffer.readInt16BE(before + 21)).toBe(1)
  })

  test('of several mebibytes leaves no such buffer behind', async () => {
    const value = Buffer.alloc(6_000_000, 7)
    const drawn = { acks: 1, timeout: 1, topicData: [topicOf({ value })] }
    const { buffer } = await frame({ correlationId: 1, clientId: 'c', request: produceRequest(drawn) as never })
    expect(buffer.readInt32BE(0)).toBe(buffer.length - 4)
    expect(buffer.subarray(-value.length - 1, -1).equals(value)).toBe(true)
  })
})

const topicOf = (message: object) => ({ topic: 't', partitions: [{ partition: 0, messages: [message] }] }) as never

describe('other requests', () => {
  test('are framed as kafkajs frames them', async () => {
    const Encoder = require('kafkajs/src/protocol/encoder.js')
    const other = { apiKey: 3, apiVersion: 6, encode: async () => new Encoder().writeString('topic').writeInt32(7) }
    const header = { correlationId: 9, clientId: 'client', request: other }
    expect((await frame(header)).buffer).toEqual((await original.frame(header)).buffer)
  })
})

describe('messages', () => {
  test('are grouped by partition as kafkajs groups them', () => {
    const messages = Array.from({ length: 20 }, (_, index) => ({ value: String(index) }))
    const partitioner = ({ message }: { message: { value?: unknown } }) => Number(message.value) % 3
    const about = { topic: 't', partitionMetadata: [{}], messages, partitioner }
    expect(groupByPartition(about)).toEqual(original.group(about))
    expect(groupByPartition({ ...about, partitionMetadata: [] })).toEqual({})
  })
})

describe('a length before its content', () => {
  test.each([0, 63, 64, 200, 8_191, 8_192, 70_000])('is right for %i bytes, whatever was guessed', (size) => {
    for (const guess of [0, 64, 10_000, 3_000_000]) {
      const output = new Output(1 << 22)
      const start = output.at
      const body = output.openSized(guess)
      output.bytes(Buffer.alloc(size, 9))
      output.closeSized(start, body)
      const expected = new Output(1 << 22)
      expected.varint(size)
      expected.bytes(Buffer.alloc(size, 9))
      expect(output.copy().equals(expected.copy())).toBe(true)
    }
  })
})
