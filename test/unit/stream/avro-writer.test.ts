import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import avsc, { type Schema, type Type } from 'avsc'
import fc from 'fast-check'
import { createAvroReader } from '../../../src/decode/avro.ts'
import { createAvroWriter } from '../../../src/stream/avro-writer.ts'
import { Output } from '../../../src/stream/kafkajs-output.ts'

const out = new Output(1 << 20)
const written = (type: Type, value: unknown) => {
  const write = createAvroWriter(type)
  return out.each([value], () => write(out, value))[0]
}

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ minLength: 60, maxLength: 140 }))
const PRIMITIVES: Record<string, fc.Arbitrary<unknown>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int: fc.integer(),
  // Beyond 2^52 avsc doubles numbers inexactly.
  long: fc.maxSafeInteger().map((value) => Math.trunc(value / 2)),
  string: text,
}

/** Values of a type, as its schema says them. */
function valuesOf(schema: unknown): fc.Arbitrary<unknown> {
  if (typeof schema === 'string') return PRIMITIVES[schema] as fc.Arbitrary<unknown>
  if (Array.isArray(schema)) return fc.oneof(...schema.map(valuesOf))
  const { type, fields, values } = schema as {
    type: string
    fields: { name: string; type: unknown }[]
    values: unknown
  }
  if (type === 'map')
    return fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      valuesOf(values),
      { maxKeys: 3 },
    )
  if (type !== 'record') return valuesOf(type)
  return fc.record(Object.fromEntries(fields.map(({ name, type }) => [name, valuesOf(type)])))
}

describe.each(['status-update', 'event', 'response'])('by schemas/%s.avsc', (name) => {
  const schema = JSON.parse(readFileSync(new URL(`../../../schemas/${name}.avsc`, import.meta.url), 'utf8')) as Schema
  const type = avsc.Type.forSchema(schema)

  test('it writes what avsc writes', () => {
    fc.assert(
      fc.property(valuesOf(schema), (value) => {
        expect(written(type, value)).toEqual(type.toBuffer(value))
      }),
    )
  })
})

test('every safe integer is read again as it was', () => {
  const type = avsc.Type.forSchema('long')
  const read = createAvroReader(type)
  const outermost = fc.constantFrom(
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2 ** 52,
    -(2 ** 52),
    -(2 ** 52) - 1,
  )
  fc.assert(
    fc.property(fc.oneof(outermost, fc.maxSafeInteger()), (value) => {
      expect(read(written(type, value) as Buffer)).toBe(value)
    }),
  )
})

test.each([
  ['a text where a number belongs', 'long', '1'],
  ['a number that is not whole', 'long', 1.5],
  ['a whole number beyond 2^53', 'long', 2 ** 53],
  ['nothing where a text belongs', 'string', undefined],
  ['a number of a union without numbers', ['null', 'string'], 1],
  ['an object of a union of texts', ['null', 'string'], {}],
])('it refuses %s', (_, schema, value) => {
  expect(() => written(avsc.Type.forSchema(schema as Schema), value)).toThrow(/fit/)
})

test('it says of which types it knows nothing', () => {
  expect(() => createAvroWriter(avsc.Type.forSchema({ type: 'array', items: 'int' }))).toThrow(/array is not written/)
})
