import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Json } from '../../../src/contract/record.ts'
import { createCards, LIMITS, Unstorable } from '../../../src/normalize/card-data.ts'
import { isCardNumber } from '../../../src/normalize/card-numbers.ts'
import { decimalOf } from '../../support/decimal.ts'

const CARD = '4111111111111111'
const cards = createCards({ tokenKey: 'secret', exemptPaths: [] })
const masking = createCards({ tokenKey: null, exemptPaths: [] })
const TOKEN = cards.clean(CARD) as string

describe('a card number', () => {
  test('becomes a token of the key', () => {
    expect(TOKEN).toMatch(/^tok_[0-9a-f]{32}$/)
    expect(createCards({ tokenKey: 'other', exemptPaths: [] }).clean(CARD)).not.toBe(TOKEN)
  })

  test('has one token, whatever its separators and type', () => {
    expect(cards.clean(['4111 1111 1111 1111', '4111-1111-1111-1111', Number(CARD), BigInt(CARD)])).toEqual(
      Array(4).fill(TOKEN),
    )
  })

  test('is masked to first six and last four without a key', () => {
    expect(masking.clean({ card: CARD })).toEqual({ card: '411111******1111' })
  })

  test('is found at any depth, within text and in keys', () => {
    expect(cards.clean({ a: [{ b: `was ${CARD}!` }], [CARD]: 1 })).toEqual({ a: [{ b: `was ${TOKEN}!` }], [TOKEN]: 1 })
  })

  test('stays at an exempt path, and only there', () => {
    const exempt = createCards({ tokenKey: 'secret', exemptPaths: ['session_data.session_id', 'list'] })
    const record = { session_data: { session_id: CARD, other: CARD }, list: [Number(CARD)], session_id: CARD }
    expect(exempt.clean(record)).toEqual({
      session_data: { session_id: CARD, other: TOKEN },
      list: [Number(CARD)],
      session_id: TOKEN,
    })
  })
})

describe('what belongs to a card is dropped', () => {
  test.each([
    'cvv',
    'CVV2',
    'card_cvc',
    'securityCode',
    'cc_number',
    'expiry_month',
    'ExpYear',
    'cardExpiry',
    'track-2',
    'PIN',
    'pin_block',
  ])('%s', (name) => expect(cards.clean({ before: 1, [name]: '123', after: 2 })).toEqual({ before: 1, after: 2 }))

  test('an expiry that is a month', () => {
    expect(cards.clean({ expiry: '12/27', expiration_date: '1227', exp: 1227 })).toEqual({})
  })
})

describe('what belongs to parking stays', () => {
  test.each<[string, Json]>([
    ['expires_at', '2023-06-01T12:00:00Z'],
    ['expiry', '2023-06-01'],
    ['expirationDate', '2027-12-31T00:00:00'],
    ['status', 'expired'],
    ['startDate', '2023-06-01'],
    ['pinned', true],
    ['pincode', '560001'],
    ['track', 'A1'],
    ['session_id', 'IC73443624523235N'],
    ['parkingrightId', 5016216071],
    ['timestamp', 1685633775000],
    ['amount', 0.25],
  ])('%s', (name, value) => {
    const record = { [name]: value }
    expect(cards.clean(record)).toBe(record)
  })
})

test('the same object comes back when nothing changes', () => {
  const record = { a: [1, 'two', null, { b: true }], big: 9007199254740993n }
  expect(cards.clean(record)).toBe(record)
})

test('the original is never changed', () => {
  const record = { a: [{ card: CARD, cvv: '1' }], b: { c: 1 } }
  const before = structuredClone(record)
  const clean = cards.clean(record) as typeof record
  expect(record).toEqual(before)
  expect(clean.b).toBe(record.b)
})

test('__proto__ stays a plain key through a change', () => {
  const clean = cards.clean(JSON.parse(`{"__proto__":{"x":1},"card":"${CARD}"}`)) as object
  expect(Object.keys(clean)).toEqual(['__proto__', 'card'])
  expect(Object.getPrototypeOf(clean)).toBe(Object.prototype)
})

describe('what no document can hold is refused', () => {
  const nested = (levels: number) => JSON.parse('[{"a":'.repeat(levels / 2) + 1 + '}]'.repeat(levels / 2)) as Json
  const reasonOf = (value: Json) => {
    try {
      cards.clean(value)
      return null
    } catch (error) {
      return (error as Unstorable).reason
    }
  }

  test('nesting over the limit', () => {
    expect(reasonOf(nested(LIMITS.depth))).toBeNull()
    expect(reasonOf([nested(LIMITS.depth)])).toBe('too_deep')
    expect(reasonOf(nested(200_000))).toBe('too_deep')
  })

  test('a NUL in a key', () => expect(reasonOf({ a: [{ 'b\0': 1 }] })).toBe('nul_in_key'))
  test.each([
    [decimalOf('4000000000000000006.0')],
    [decimalOf('40000000000000000060e-1')],
    [decimalOf('0.4000000000000000006e19')],
    [decimalOf('4.000000000000000006e018')],
    [decimalOf('4000000000000000006.25')],
    [4111111111111111.5],
  ])('nor is a card number that is written as %j', (number) =>
    expect(cards.clean([number])).toEqual([expect.stringMatching(/^tok_/)]),
  )

  test('what is over the limits that are set', () => {
    const { clean } = createCards({ tokenKey: null, exemptPaths: [], limits: { depth: 3, keys: 2, items: 4 } })
    const reason = (value: Json) => {
      try {
        clean(value)
        return null
      } catch (error) {
        return error instanceof Unstorable ? error.reason : 'thrown'
      }
    }
    expect([{ a: { b: [1, 2, 3, 4] } }, [[[1]]]].map(reason)).toEqual([null, null])
    expect([{ a: { b: [[]] } }, { a: 1, b: 2, c: 3 }, [1, 2, 3, 4, 5]].map(reason)).toEqual([
      'too_deep',
      'too_large',
      'too_large',
    ])
  })

  test('a number that is infinite', () => expect(reasonOf({ a: [JSON.parse('1e400')] })).toBe('number_out_of_range'))
})

/** Every text and integer in a value, keys too. */
function* leaves(value: unknown): Generator<string> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield key
      yield* leaves(inner)
    }
  } else if (typeof value !== 'number' || Number.isInteger(value)) yield String(value)
}

const card = fc.constantFrom(CARD, '5555555555554444', '378282246310005', '6011111111111117', '3566002020360505')
const leaf = fc.oneof(card, card.map(Number), card.map(BigInt), fc.string(), fc.integer(), fc.constant(null))
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(card, fc.string()), tie('value')),
  ),
})).value

test.each([
  ['tokens', cards],
  ['masks', masking],
])('no card number is left in what clean gives, with %s, and cleaning twice changes nothing', (_, used) => {
  fc.assert(
    fc.property(tree, (value) => {
      fc.pre(![...leaves(value)].some((text) => text.includes('\0')))
      const clean = used.clean(value as Json)
      for (const text of leaves(clean)) {
        for (const run of text.match(/(?<![a-z0-9])[0-9]{13,19}(?![a-z0-9])/gi) ?? [])
          expect(isCardNumber(run)).toBe(false)
      }
      expect(used.clean(clean)).toBe(clean)
    }),
  )
})

test('of random numbers few are taken for cards', () => {
  let taken = 0
  const numbers = fc.sample(fc.bigInt(10n ** 15n, 10n ** 16n - 1n), 5_000)
  for (const number of numbers) if (isCardNumber(String(number))) taken++
  expect(taken / numbers.length).toBeLessThan(0.06)
})

test('an Unstorable says what to do', () => {
  expect(() => cards.clean({ 'a\0': 1 })).toThrow(Unstorable)
  expect(() => cards.clean({ 'a\0': 1 })).toThrow(/Remove it/)
})
