import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BSON, type Document, Double, Long } from 'mongodb'
import type { CacheDocument } from '../../../src/contract/document.ts'
import { eventOf, eventOfBytes } from '../../../src/serve/event-view.ts'
import { storedJson } from '../../../src/serve/stored-json.ts'

const READING = { keys: [], clock: null }
const TIME = new Date('2026-06-01T10:00:00.250Z')

function documentOf(response: unknown, more: Document = {}): CacheDocument {
  const source = { topic: 'parkmobile.events', partition: 3, offset: 17 }
  const cache = {
    kind: 'session',
    status: 'on-going',
    sessionId: 'IC1N',
    observedAt: TIME,
    order: '1 a',
    source,
    expiresAt: TIME,
  }
  const { cache: moreOfCache, ...rest } = more
  const content = { card: 'tok_1', http_status: 200, response }
  const document = {
    _id: 'a',
    ...content,
    createdAt: TIME,
    updatedAt: TIME,
    ...rest,
    cache: { ...cache, ...moreOfCache },
  }
  return document as unknown as CacheDocument
}

/** Both ways to the same event: in one walk over the bytes, and with the driver's library. */
function compare(document: CacheDocument) {
  const bytes = BSON.serialize(document)
  const walked = eventOfBytes(bytes, READING)
  const read = eventOf(BSON.deserialize(bytes) as unknown as CacheDocument, READING)
  expect(JSON.parse(walked.json)).toEqual(JSON.parse(read.json))
  expect({ ...walked, json: '' }).toEqual({ ...read, json: '' })
  return { walked, isKnown: storedJson(bytes) !== null }
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constant('"\\\u0000\u001f\u2028é€🚗'),
)
/** No name in BSON has a zero byte. */
const anyName = anyText.map((text) => text.replaceAll('\0', ''))
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    anyText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('zone_id', 'amount', 'end_time', 'cache', 'order', 'é'), anyName),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value

describe('an event of bytes', () => {
  test('is that of the document that the library reads, whatever it holds', () => {
    let known = 0
    fc.assert(
      fc.property(plain, (response) => {
        if (compare(documentOf(response)).isKnown) known++
      }),
      { numRuns: 2_000 },
    )
    expect(known).toBeGreaterThan(1_000)
  })

  test.each<[string, Document]>([
    ['orders', { cache: { erased: '0 "x"\\', lastSuccess: { card: null, observedAt: TIME, order: '0 b' } } }],
    ['no session and no card', { card: null, cache: { sessionId: null, status: null, kind: 'tombstone' } }],
    [
      'members behind the cache and without a name',
      { '': 1, response: undefined, z: { order: 'x', cache: { order: 'y' } } },
    ],
    ['arrays under names that every object has', { response: { constructor: [1], toString: [[], {}] } }],
    ['small integers of 64 bits', { response: { n: Long.fromNumber(-5), m: Long.fromString('9007199254740991') } }],
    [
      'numbers at the edges',
      { response: { n: [new Double(-0), 1e21, 5e-324, -2_147_483_648, 1e300, new Double(60)] } },
    ],
    [
      'times of other centuries',
      { createdAt: new Date(0), updatedAt: new Date('0033-04-03T12:00:00Z'), response: { at: new Date(-8.64e15) } },
    ],
    ['long texts', { response: { text: 'ü"'.repeat(10_000) } }],
  ])('with %s is read in one walk', (_, more) => {
    expect(compare(documentOf({ zone_id: '1' }, more)).isKnown).toBe(true)
  })

  test('does not show what is for comparing alone', () => {
    const lastSuccess = { observedAt: TIME, order: 'o-2' }
    const { walked } = compare(documentOf({}, { cache: { erased: 'o-3', order: 'o-1', lastSuccess } }))
    expect(walked.json).not.toMatch(/"o-\d"/)
    expect(walked.version).toBe('o-1\to-3\to-2\t2026-06-01T10:00:00.250Z')
  })

  test('with what is left to the library behind its cache is left to it whole', () => {
    const behind = { zone_id: '7', amount: BSON.Decimal128.fromString('0.1') }
    const { cache, response: _, ...before } = documentOf(null)
    const { walked, isKnown } = compare({ ...before, cache, response: behind } as unknown as CacheDocument)
    expect(isKnown).toBe(false)
    expect(walked.json).toContain('"amount":0.1')
  })

  test.each<[string, unknown]>([
    ['an integer that no number holds', { n: Long.fromString('9007199254740993') }],
    ['a decimal', { n: BSON.Decimal128.fromString('0.1') }],
    ['bytes', { b: new BSON.Binary(Buffer.from('x')) }],
    ['a name that JSON escapes', { 'a"b': 1 }],
    ['more than is read in one walk', { text: 'x'.repeat(70_000) }],
  ])('with %s is left to the library', (_, response) => {
    expect(compare(documentOf(response)).isKnown).toBe(false)
  })
})
