import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import avsc, { type Schema } from 'avsc'
import fc from 'fast-check'
import { createAvroReader } from '../../../src/decode/avro.ts'
import { createJsonTextHook } from '../../../src/decode/avro-schema.ts'
import { rejectFrom } from '../../../src/decode/rejected.ts'

/** A reader as the registry makes it, and avsc's own writer of the same schema. */
function pair(schema: unknown, absent?: string) {
  const type = avsc.Type.forSchema(schema as Schema, { typeHook: createJsonTextHook() as never })
  const read = createAvroReader(type, absent)
  const writer = avsc.Type.forSchema(schema as Schema, { wrapUnions: 'always' as never })
  return { read, write: (value: unknown) => writer.toBuffer(value) }
}

const record = (...fields: unknown[]) => ({ type: 'record', name: 'R', namespace: 'n', fields })

describe('values come out plain', () => {
  test('of the event schema, with its JSON fields parsed', () => {
    const schema = JSON.parse(readFileSync('schemas/event.avsc', 'utf8'))
    const { read, write } = pair(schema)
    const bytes = write({
      event_id: 'e1',
      event_type: { string: 'parking_start' },
      card: null,
      zone_id: { string: '67890' },
      session_data: { string: '{"session_id":9007199254740993,"$a.b":[1.50]}' },
      timestamp: { long: 1685633775000 },
      status: null,
      http_status: { string: '200' },
      payload: null,
      user_id: { long: 7 },
    })
    const value = read(bytes)
    expect(value).toEqual({
      event_id: 'e1',
      event_type: 'parking_start',
      card: null,
      zone_id: '67890',
      session_data: { session_id: 9007199254740993n, '$a.b': [1.5] },
      timestamp: 1685633775000,
      status: null,
      http_status: '200',
      payload: null,
      user_id: 7,
    })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('without the field that counts as absent where it is null, in the outermost record alone', () => {
    const status = { name: 'status', type: ['null', 'int'] }
    const outer = record(status, { name: 'inner', type: ['null', { ...record(status), name: 'I' }] })
    const other = { ...record(status), name: 'O' }
    const value = (given: object | null) => ({ 'n.R': { status: given, inner: { 'n.I': { status: null } } } })
    const { read, write } = pair([outer, other], 'status')
    expect(read(write(value(null)))).toEqual({ inner: { status: null } })
    expect(read(write(value({ int: 1 })))).toEqual({ status: 1, inner: { status: null } })
    expect(read(write({ 'n.O': { status: null } }))).toEqual({})
  })

  test('of unions of records, enums, maps, arrays, bytes and types that hold themselves', () => {
    const { read, write } = pair(
      record(
        {
          name: 'u',
          type: [
            { type: 'record', name: 'A', fields: [{ name: 'a', type: 'int' }] },
            { type: 'record', name: 'B', fields: [{ name: 'b', type: ['null', 'n.R'] }] },
          ],
        },
        { name: 'e', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } },
        { name: 'm', type: { type: 'map', values: ['null', 'long'] } },
        { name: 'l', type: { type: 'array', items: { type: 'fixed', name: 'F', size: 2 } } },
        { name: 'b', type: { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 } },
        { name: 'f', type: 'float' },
        { name: 'ok', type: 'boolean' },
      ),
    )
    const leaf = {
      u: { 'n.A': { a: -3 } },
      e: 'Y',
      m: { x: null, y: { long: 2 ** 40 } },
      l: [Buffer.from([1, 2])],
      b: Buffer.from([7]),
      f: 0.5,
      ok: true,
    }
    const plainLeaf = { u: { a: -3 }, e: 'Y', m: { x: null, y: 2 ** 40 }, l: ['AQI='], b: 0.07, f: 0.5, ok: true }
    expect(read(write({ ...leaf, u: { 'n.B': { b: { 'n.R': leaf } } } }))).toEqual({
      ...plainLeaf,
      u: { b: plainLeaf },
    })
  })

  test('__proto__ as a key of a map and as a field', () => {
    const { read } = pair(record({ name: '__proto__', type: { type: 'map', values: 'int' } }))
    const value = read(Buffer.from([2, 18, ...Buffer.from('__proto__'), 4, 0]))
    expect(JSON.stringify(value)).toBe('{"__proto__":{"__proto__":2}}')
  })
})

describe('as JSON is read', () => {
  const text = '{"a":1}'
  test.each<[string, unknown, unknown, unknown]>([
    ['a field with json: true', { type: 'string', json: true }, text, { a: 1 }],
    ['its string within a union', { type: ['null', 'string'], json: true }, { string: text }, { a: 1 }],
    ['a string type with json: true', { type: { type: 'string', json: true } }, text, { a: 1 }],
    ['such a type within a union', { type: ['null', { type: 'string', json: true }] }, { string: text }, { a: 1 }],
    ['null, not', { type: ['null', 'string'], json: true }, null, null],
    ['a long beside it, not', { type: ['null', 'long', 'string'], json: true }, { long: 5 }, 5],
    ['a field without the property, not', { type: 'string' }, text, text],
    ['a field with json: false, not', { type: 'string', json: false }, text, text],
    ['a default that is no JSON', { type: 'string', json: true, default: '' }, text, { a: 1 }],
  ])('%s', (_, field, given, expected) => {
    const { read, write } = pair(record({ name: 'x', ...(field as object) }, { name: 'y', type: 'string' }))
    expect(read(write({ x: given, y: text }))).toEqual({ x: expected, y: text })
  })
})

describe('bytes that do not fit are refused', () => {
  const reasonOf = (read: (bytes: Buffer) => unknown, bytes: Buffer) => {
    try {
      read(bytes)
      return null
    } catch (error) {
      return rejectFrom(error, 1).reject
    }
  }
  const strings = pair(record({ name: 'a', type: 'string' }, { name: 'j', type: 'string', json: true }))
  const whole = strings.write({ a: 'text', j: '[1]' })

  test.each<[string, Buffer, string | null]>([
    ['whole bytes, not', whole, null],
    ['cut short', whole.subarray(0, -1), 'undecodable'],
    ['one byte too many', Buffer.concat([whole, Buffer.from([0])]), 'undecodable'],
    ['a length beyond the end', Buffer.from([0x80, 0x80, 0x80, 0x80, 0x10]), 'undecodable'],
    ['a negative length', Buffer.from([1]), 'undecodable'],
    ['text that is no UTF-8', Buffer.from([2, 0xff, 6, 0x5b, 0x31, 0x5d]), 'undecodable'],
    ['JSON that is none', strings.write({ a: '', j: '{' }), 'undecodable'],
    ['JSON with a number beyond all', strings.write({ a: '', j: '9'.repeat(40) }), 'number_out_of_range'],
  ])('%s', (_, bytes, reason) => expect(reasonOf(strings.read, bytes)).toBe(reason))

  test('an array that claims more items than it has bytes costs nothing', () => {
    const many = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f])
    expect(reasonOf(pair(record({ name: 'a', type: { type: 'array', items: 'long' } })).read, many)).toBe('undecodable')
    expect(reasonOf(pair(record({ name: 'a', type: { type: 'array', items: 'null' } })).read, many)).toBe('undecodable')
  })

  test('nesting without end is too deep', () => {
    const { read } = pair(record({ name: 'next', type: ['null', 'n.R'] }))
    expect(reasonOf(read, Buffer.alloc(1_000_000, 2))).toBe('too_deep')
  })

  test('no bytes are read as something else than they say, or make it hang', () => {
    const { read, write } = pair(JSON.parse(readFileSync('schemas/response.avsc', 'utf8')))
    void write
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const reason = reasonOf(read, Buffer.from(bytes))
        expect([null, 'undecodable', 'number_out_of_range']).toContain(reason)
      }),
    )
  })
})

test('every long survives', () => {
  const { read } = pair(record({ name: 'x', type: 'long' }))
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const { x } = read(zigzag(value)) as { x: number | bigint }
      expect(BigInt(x)).toBe(value)
      expect(typeof x).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'bigint')
    }),
    {
      examples: [
        [2n ** 53n],
        [2n ** 53n - 1n],
        [-(2n ** 53n)],
        [2n ** 63n - 1n],
        [-(2n ** 63n)],
        [0n],
        [-1n],
        [2n ** 48n],
        [-(2n ** 48n)],
      ],
    },
  )
})

function zigzag(value: bigint): Buffer {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; raw > 0x7fn; raw >>= 7n) bytes.push(Number(raw & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(raw)])
}

test('it reads what avsc writes', () => {
  const { read, write } = pair(
    record(
      { name: 's', type: 'string' },
      { name: 'i', type: 'int' },
      { name: 'd', type: 'double' },
      { name: 'l', type: { type: 'array', items: { type: 'map', values: 'string' } } },
    ),
  )
  const value = fc.record({
    s: fc.string({ unit: 'grapheme' }),
    i: fc.integer(),
    d: fc.double({ noNaN: true }),
    l: fc.array(
      fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.string(),
      ),
    ),
  })
  fc.assert(
    fc.property(value, (given) =>
      expect(read(write(given))).toEqual({ ...given, l: given.l.map((map) => ({ ...map })) }),
    ),
  )
})
