import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BSON } from 'mongodb'
import { Decimal, type Json } from '../../../src/contract/record.ts'
import { encodeEach } from '../../../src/documents/bson.ts'
import { readBack } from '../../../src/documents/read-back.ts'
import { decimalOf } from '../../support/decimal.ts'
import { anyJson } from '../../support/documents.ts'

/** As the driver gives it with its default options. */
const stored = (value: Json) => BSON.deserialize(encodeEach([{ value }], () => {})[0] as Buffer).value

/** 2^53 itself is a double too. */
function asNumbers(value: Json): Json {
  if (Array.isArray(value)) return value.map(asNumbers)
  if (value === 2n ** 53n || value === -(2n ** 53n)) return Number(value)
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asNumbers(inner)]))
}

describe('what is read back from a document is what was stored', () => {
  test('of any value', () => {
    fc.assert(
      fc.property(anyJson, (value) => expect(readBack(stored(value))).toEqual(asNumbers(value))),
      { numRuns: 500 },
    )
  })

  test.each(['0.1234567890123456789', '-12345678901234567890', '1E-6000', '1.5E6000', '9'.repeat(34)])(
    'of the decimal %s',
    (text) => expect(readBack([stored(decimalOf(text))])).toEqual([decimalOf(text)]),
  )

  test('of a key that is a name of JavaScript', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"toString":2}')
    expect(JSON.stringify(readBack(stored(value)))).toBe('{"__proto__":{"a":1},"toString":2}')
  })

  test('and what we never store is text', () => {
    expect(readBack({ id: new BSON.ObjectId('507f1f77bcf86cd799439011'), at: new Date(0) })).toEqual({
      id: '507f1f77bcf86cd799439011',
      at: String(new Date(0)),
    })
  })
})
