import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

const require = createRequire(import.meta.url)
const original = {
  encode: require('kafkajs/src/protocol/recordBatch/record/v0/index.js'),
  decode: require('kafkajs/src/protocol/recordBatch/record/v0/decoder.js'),
}
// Only now: importing it puts ours in the place of the originals.
const { decodeRecord, writeRecord } = await import('../../../src/stream/kafkajs-records.ts')
const { Output } = await import('../../../src/stream/kafkajs-output.ts')
const Decoder = require('kafkajs/src/protocol/decoder.js')

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  fc.string({ maxLength: 200 }),
)
const part = fc.oneof(bytes, fc.constant(null))
/** kafkajs mixes up a header with what every object inherits under its name. */
const name = fc.string({ maxLength: 20 }).filter((text) => !(text in {}))
const record = fc.record({
  offsetDelta: fc.nat(1_000_000),
  timestampDelta: fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }),
  key: part,
  value: part,
  headers: fc.dictionary(name, fc.oneof(bytes, fc.array(bytes, { maxLength: 3 }))),
})

const context = {
  firstOffset: '123456789012',
  firstTimestamp: '1795520000000',
  maxTimestamp: '1795520009999',
  magicByte: 2,
}

/** A record without its length, as kafkajs hands it to a decoder. */
function bodyOf(encoded: Buffer): Buffer {
  let at = 0
  while ((encoded[at++] as number) >= 0x80) {}
  return encoded.subarray(at)
}

interface Drawn {
  key?: Buffer | string | null
  offsetDelta?: number
  timestampDelta?: number
  value: Buffer | string | null
  headers: Record<string, Buffer | string | null | (Buffer | string)[]>
}

function write({ offsetDelta = 0, timestampDelta = 0, ...record }: Drawn): Buffer {
  const output = new Output(1 << 22)
  writeRecord(output, record, offsetDelta, timestampDelta)
  return output.copy()
}

describe('a record', () => {
  test('is written as kafkajs writes it', () => {
    fc.assert(
      fc.property(record, (drawn) => {
        expect(write(drawn).equals(original.encode(drawn).buffer)).toBe(true)
      }),
    )
  })

  test('is read as kafkajs reads it', () => {
    expect(original.decode).not.toBe(decodeRecord)
    fc.assert(
      fc.property(record, fc.constantFrom(0, 1), fc.boolean(), (drawn, timestampType, isControlBatch) => {
        const body = bodyOf(write(drawn))
        const batch = { ...context, timestampType, isControlBatch }
        const { headers, ...rest } = decodeRecord(new Decoder(body), batch)
        const { headers: expected, ...expectedRest } = original.decode(new Decoder(body), batch)
        expect(rest).toEqual(expectedRest)
        expect(Object.entries(headers)).toEqual(Object.entries(expected))
      }),
    )
  })

  test('may have a header whose value is null, and one of any name', () => {
    const headers = { none: null, ...JSON.parse('{"__proto__":"odd"}') }
    const read = decodeRecord({ buffer: bodyOf(write({ value: 'x', headers })) }, { ...context, timestampType: 0 })
    expect(Object.entries(read.headers)).toEqual([
      ['none', null],
      ['__proto__', Buffer.from('odd')],
    ])
  })

  test('that ends within a number is an error', () => {
    expect(() => decodeRecord({ buffer: Buffer.from([0, 0x80]) }, { ...context, timestampType: 0 })).toThrow(RangeError)
  })
})
