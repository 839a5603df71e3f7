import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../../src/contract/record.ts'
import { createCards } from '../../../src/normalize/card-data.ts'
import { type Normalized, normalize, tombstoneId } from '../../../src/normalize/normalize.ts'

const CARD = '4111111111111111'
const cards = createCards({ tokenKey: 'secret', exemptPaths: [] })
const TOKEN = cards.cleanText(CARD)

function taken(type: 'event' | 'response', value: Json, key: Buffer | null = null): Normalized {
  const outcome = normalize(type, key, value, cards)
  if ('reject' in outcome) throw new Error(`${outcome.reject}: ${outcome.message}`)
  return outcome
}

function reasonOf(value: Json, key: Buffer | null = null): string | null {
  const outcome = normalize('event', key, value, cards)
  return 'reject' in outcome ? outcome.reject : null
}

describe('an event becomes a document', () => {
  test('with its own fields in response, in a fixed order, and the rest after them', () => {
    const { id, content } = taken('event', {
      extra: [1],
      status: 'success',
      timestamp: 1685633775000,
      session_data: { session_id: 's1' },
      zone_id: '67890',
      event_type: 'parking_start',
      card: 'card_1',
      event_id: 'e1',
      payload: { a: 1 },
      user_id: 7,
      endpoint: '/x',
    })
    expect(id).toBe('e1')
    expect(content).toEqual({
      card: 'card_1',
      http_status: 200,
      payload: { a: 1 },
      user_id: 7,
      response: {
        event_type: 'parking_start',
        zone_id: '67890',
        session_data: { session_id: 's1' },
        timestamp: 1685633775000,
        status: 'success',
        extra: [1],
        endpoint: '/x',
      },
    })
    expect(Object.keys(content.response as JsonObject).slice(0, 5)).toEqual([
      'event_type',
      'zone_id',
      'session_data',
      'timestamp',
      'status',
    ])
  })

  test('in which absent stays absent and null stays null', () => {
    expect(taken('event', { event_id: 'e1' }).content).toEqual({ http_status: 200, response: {} })
    const nulls = { card: null, http_status: null, payload: null, user_id: null, zone_id: null }
    expect(taken('event', { event_id: 'e1', ...nulls }).content).toEqual({
      card: null,
      http_status: null,
      payload: null,
      user_id: null,
      response: { zone_id: null },
    })
  })

  test('with what the observation needs', () => {
    expect(
      taken('event', {
        event_id: 'e1',
        event_type: 'parking_extend',
        card: '411111------1111',
        zone_id: 67890,
        session_data: { session_id: 's1', stopTimeUTC: '2023-06-01T17:36:15' },
        timestamp: '2023-06-01T15:36:15Z',
      }),
    ).toMatchObject({
      kind: 'session',
      status: 'on-going',
      sessionId: 's1',
      zoneId: '67890',
      eventType: 'parking_extend',
      card: '411111------1111',
      endsAt: Date.UTC(2023, 5, 1, 17, 36, 15),
      time: Date.UTC(2023, 5, 1, 15, 36, 15),
    })
  })
})

describe('a response becomes a document', () => {
  test('with the response exactly as it came, and nothing of the call', () => {
    const response = { $set: { 'a.b': [null, 9007199254740993n, '2,00 €'] }, '': {}, status: 'x' }
    const record = {
      event_id: 'e1',
      http_status: 201,
      response,
      endpoint: '/r',
      method: 'GET',
      duration_ms: 3,
      timestamp: 1,
    }
    const { content } = taken('response', record)
    expect(content).toEqual({ http_status: 201, response })
    expect(content.response).toBe(response)
  })

  test.each<[string, Json]>([
    ['null', null],
    ['text', ''],
    ['a list', [1, 2]],
    ['a number', 0],
  ])('when it is %s', (_, response) => {
    expect(taken('response', { event_id: 'e1', response }).content).toEqual({ response })
  })

  test('without response and http_status when it has none', () => {
    expect(taken('response', { event_id: 'e1' }).content).toEqual({})
  })
})

describe('http_status in the document', () => {
  test.each<[Json, Json]>([
    [200, 200],
    ['200', 200],
    [' 404 ', 404],
    ['0', 0],
    ['ETIMEDOUT', 'ETIMEDOUT'],
    ['', ''],
    ['0x1F', '0x1F'],
    ['9007199254740993', '9007199254740993'],
    [9007199254740993n, '9007199254740993'],
    [null, null],
  ])('%p is %p', (given, expected) => {
    expect(taken('response', { event_id: 'e1', http_status: given }).content.http_status).toBe(expected)
  })
})

describe('the event id', () => {
  test.each<[string, Json, Buffer | null, string]>([
    ['is the one in the value', { event_id: 'e1' }, Buffer.from('k1'), 'e1'],
    ['is the key when there is none', {}, Buffer.from('k1'), 'k1'],
    ['is the key when it is null', { event_id: null }, Buffer.from('k1'), 'k1'],
    ['is the key when it is empty', { event_id: '' }, Buffer.from('k1'), 'k1'],
    ['keeps the decimal text of a number', { event_id: 123 }, null, '123'],
    ['keeps the decimal text of a long', { event_id: 9007199254740993n }, null, '9007199254740993'],
    ['is a token when it is a card number', { event_id: CARD }, null, TOKEN],
    ['is a token when the key is a card number', {}, Buffer.from(CARD), TOKEN],
  ])('%s', (_, value, key, expected) => expect(taken('event', value, key).id).toBe(expected))

  test('of a tombstone is its key', () => {
    expect(tombstoneId(Buffer.from('e1'))).toBe('e1')
    expect(tombstoneId(Buffer.from(CARD), cards)).toBe(TOKEN)
    expect(tombstoneId(null)).toMatchObject({ reject: 'missing_event_id' })
    expect(tombstoneId(Buffer.alloc(0))).toMatchObject({ reject: 'missing_event_id' })
    expect(tombstoneId(Buffer.from([0xff]))).toMatchObject({ reject: 'invalid_field' })
    expect(tombstoneId(Buffer.from('x'.repeat(1025)))).toMatchObject({ reject: 'field_too_long' })
  })
})

describe('rejected is', () => {
  const long = 'x'.repeat(1025)
  const wide = 'é'.repeat(513)
  test.each<[string, Json, string | null]>([
    ['no object', [], 'not_an_object'],
    ['null in JSON', null, 'not_an_object'],
    ['no event id', {}, 'missing_event_id'],
    ['an event id of another type', { event_id: { a: 1 } }, 'invalid_field'],
    ['an event id that is a fraction', { event_id: 1.5 }, 'invalid_field'],
    ['an event id with a NUL', { event_id: 'a\0b' }, 'invalid_field'],
    ['an event id with half a surrogate pair', { event_id: 'a\ud800' }, 'invalid_field'],
    ['a long event id', { event_id: long }, 'field_too_long'],
    ['a long event id in bytes', { event_id: wide }, 'field_too_long'],
    ['the longest event id, not', { event_id: 'x'.repeat(1024) }, null],
    ['a long card', { event_id: 'e', card: long }, 'field_too_long'],
    ['a card of another type', { event_id: 'e', card: {} }, 'invalid_field'],
    ['a long zone', { event_id: 'e', zone_id: long }, 'field_too_long'],
    ['a long type', { event_id: 'e', event_type: long }, 'field_too_long'],
    ['a long status word', { event_id: 'e', status: long }, 'field_too_long'],
    ['a long http_status', { event_id: 'e', http_status: long }, 'field_too_long'],
    ['an http_status of another type', { event_id: 'e', http_status: [] }, 'invalid_field'],
    ['a session id with a NUL', { event_id: 'e', session_id: 'a\0' }, 'invalid_field'],
    ['a NUL in a key', { event_id: 'e', payload: { 'a\0': 1 } }, 'nul_in_key'],
    ['a NUL in a text, not', { event_id: 'e', payload: 'a\0' }, null],
    ['what is nested too deep', { event_id: 'e', payload: JSON.parse('['.repeat(100) + ']'.repeat(100)) }, 'too_deep'],
  ])('%s', (_, value, reason) => expect(reasonOf(value)).toBe(reason))

  test('without a word of its data in the message', () => {
    const outcome = normalize('event', null, { event_id: `${CARD}${'x'.repeat(1100)}` }, cards)
    expect(JSON.stringify(outcome)).not.toContain('4111')
  })
})

test('card data is gone from all that comes out', () => {
  const record = {
    event_id: 'e1',
    card: CARD,
    session_data: { session_id: CARD, cvv: '123', note: `paid ${CARD}` },
    payload: { card: { number: CARD, expiry_month: 1 } },
    zone_id: CARD,
    [CARD]: 1,
  }
  const outcome = taken('event', record)
  expect(JSON.stringify(outcome)).not.toContain(CARD)
  expect(outcome).toMatchObject({ card: TOKEN, sessionId: TOKEN, zoneId: TOKEN })
  expect(outcome.content.payload).toEqual({ card: { number: TOKEN } })
})

test('__proto__ in an event is a key like others', () => {
  const { content } = taken('event', JSON.parse('{"event_id":"e1","__proto__":{"x":1}}'))
  expect(Object.keys(content.response as JsonObject)).toEqual(['__proto__'])
})

const name = fc.constantFrom(
  'event_id',
  'event_type',
  'card',
  'zone_id',
  'session_data',
  'session_id',
  'timestamp',
  'status',
  'http_status',
  'response',
  'payload',
  'user_id',
  'endDate',
)
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(name, fc.string()), tie('value')),
  ),
})).value

test('it never throws, and changes nothing that it is given', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('event', 'response'),
      fc.option(fc.uint8Array()),
      fc.oneof(anything, fc.dictionary(name, anything)),
      (type, key, value) => {
        const before = structuredClone(value)
        const outcome = normalize(type as 'event', key && Buffer.from(key), value as Json, cards)
        expect(value).toEqual(before)
        expect('reject' in outcome || (typeof outcome.id === 'string' && outcome.id !== '')).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})
