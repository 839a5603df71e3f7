import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BSON } from 'mongodb'
import type { Json } from '../../../src/contract/record.ts'
import { Encoded, encodeEach } from '../../../src/documents/bson.ts'
import { anyDocuments, anyJson, documentOf } from '../../support/documents.ts'

function encode(...values: object[]): (Buffer | null)[] {
  return encodeEach(values, (_, error) => {
    throw error
  })
}

/** What was refused, by index. */
function refusals(...values: object[]) {
  const refused = new Map<number, string>()
  const encoded = encodeEach(values, (index, error) => refused.set(index, error.name))
  return { encoded, refused }
}

/** Jest compares buffers byte by byte, which takes a while. */
const same = (value: object) =>
  expect(encode(value)[0]?.equals(BSON.serialize(value, { ignoreUndefined: true }))).toBe(true)

describe('BSON of a document', () => {
  test("is the driver's, byte for byte", () => {
    fc.assert(
      fc.property(anyDocuments(['e'], { maxLength: 3 }), (documents) => {
        for (const document of documents) same(document)
      }),
      { numRuns: 100 },
    )
  })

  test("is the driver's for any JSON and any text", () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a', 'é', '€', '😀', '\0') }),
    )
    fc.assert(
      fc.property(anyJson, texts, (json, text) => same({ json, text, list: [text, json] })),
      { numRuns: 100 },
    )
  })

  test.each([0, -0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 0.1, 1e300, 2 ** 53])(
    "is the driver's for the number %p",
    (number) => same({ number }),
  )

  test.each([1, 46, 47, 48, 49, 50, 1_000, 70_000])('has any length of text: %i', (length) => {
    for (const unit of ['a', 'é', '€', '😀']) same({ [unit.repeat(length)]: unit.repeat(length) })
  })

  test('leaves out what is undefined, and keeps a date', () => {
    same({ a: undefined, b: new Date(1_795_520_000_123), c: new Date(-1) })
  })

  test('keeps a key that only the driver takes for one of its types', () => {
    const [encoded] = encode({ response: { _bsontype: 'ObjectId', id: 1 } })
    const response = BSON.deserialize(encoded as Buffer, { promoteValues: true }).response
    expect(Object.entries(response)).toEqual([
      ['_bsontype', 'ObjectId'],
      ['id', 1],
    ])
  })

  test('takes in what was encoded before, an object or an array', () => {
    const inner = { a: [1, { b: 'c' }] }
    const [object, array] = encode(inner, [inner, 2]) as [Buffer, Buffer]
    expect(encode({ q: 1, object: new Encoded(object), array: new Encoded(array, true) })[0]).toEqual(
      BSON.serialize({ q: 1, object: inner, array: [inner, 2] }),
    )
  })

  test('of many in one go is that of each, whatever was refused among them', () => {
    const good = Array.from({ length: 50 }, (_, at) => documentOf({ at, content: { response: 'x'.repeat(40_000) } }))
    const { encoded, refused } = refusals(good[0] as object, { 'a\0b': 1 }, ...good.slice(1), { é: { 'é\0': 1 } })
    expect([...refused]).toEqual([
      [1, 'NotPlain'],
      [51, 'NotPlain'],
    ])
    expect(encoded[1]).toBeNull()
    const stored = encoded.filter((one) => one !== null)
    expect(stored).toHaveLength(50)
    for (const [index, document] of good.entries()) expect(stored[index]?.equals(BSON.serialize(document))).toBe(true)
  })

  test('is refused where nested deeper than MongoDB stores', () => {
    const nested = (levels: number): Json => (levels === 0 ? 1 : { a: nested(levels - 1) })
    const { refused } = refusals({ response: nested(178) }, { response: nested(190) })
    expect([...refused]).toEqual([[1, 'TooDeep']])
  })

  test.each([Buffer.from('x'), new Map(), new BSON.ObjectId(), /x/, () => 1, Symbol('x')])(
    'is refused for what is no JSON: %p',
    (value) => {
      expect(refusals({ value }).refused.get(0)).toBe('NotPlain')
    },
  )
})
