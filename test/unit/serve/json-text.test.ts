import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BSON, Decimal128, Long } from 'mongodb'
import { jsonText } from '../../../src/serve/json-text.ts'

const read = (value: unknown) => BSON.deserialize(BSON.serialize({ value })).value

describe('the JSON of what a document holds', () => {
  test('is that of JSON.stringify, for all that JSON has', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)))
        expect(jsonText(value)).toBe(JSON.stringify(value))
      }),
      { numRuns: 1_000 },
    )
  })

  test.each<[string, unknown, string]>([
    ['an integer of 64 bits', Long.fromString('9007199254740993123'), '9007199254740993123'],
    ['a small one', Long.fromNumber(7), '7'],
    ['a decimal', Decimal128.fromString('0.1234567890123456789012'), '0.1234567890123456789012'],
    ['a large decimal', Decimal128.fromString('1E+400'), '1E+400'],
    ['a decimal zero', Decimal128.fromString('0'), '0'],
    ['no decimal', Decimal128.fromString('NaN'), 'null'],
    ['a time', new Date('2026-06-01T10:00:00.250Z'), '"2026-06-01T10:00:00.250Z"'],
    [
      'names that every object has',
      { constructor: [1], __proto__: undefined, toString: 'x' },
      '{"constructor":[1],"toString":"x"}',
    ],
    ['hostile text', { 'a"\\\n\u2028': '</script>\0' }, JSON.stringify({ 'a"\\\n\u2028': '</script>\0' })],
  ])('of %s', (_, value, text) => {
    expect(jsonText(read(value))).toBe(text)
  })

  test('leaves undefined members out, as JSON does', () => {
    expect(jsonText({ a: undefined, b: [undefined, Number.NaN] })).toBe('{"b":[null,null]}')
  })
})
