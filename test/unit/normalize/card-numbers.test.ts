import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isCardNumber, mayHoldCard, replaceCards } from '../../../src/normalize/card-numbers.ts'

/** Numbers that the networks and payment providers publish for tests; nobody's cards. */
const TEST_CARDS = {
  visa: '4111111111111111',
  'old visa': '4222222222222',
  'long visa': '4000000000000000006',
  mastercard: '5555555555554444',
  'mastercard 2-series': '2223003122003222',
  amex: '378282246310005',
  discover: '6011111111111117',
  diners: '30569309025904',
  'diners 36': '36227206271667',
  jcb: '3566002020360505',
  unionpay: '6200000000000005',
  'long unionpay': '6205500000000000004',
  maestro: '6759649826438453',
}

const replace = (text: string) => replaceCards(text, (digits) => `<${digits}>`)

describe('a card number is known', () => {
  test.each(Object.entries(TEST_CARDS))('%s', (_, digits) => {
    expect(isCardNumber(digits)).toBe(true)
    expect(mayHoldCard(digits)).toBe(true)
    expect(replace(digits)).toBe(`<${digits}>`)
  })
})

describe('no card number is', () => {
  test.each([
    ['one that fails Luhn', '4111111111111112'],
    ['epoch milliseconds', '1685633775000'],
    ['a prefix that nobody issues', '9999999999999995'],
    ['a length that nobody issues', '41111111111119'],
    ['12 digits', '411111111116'],
    ['20 digits', '41111111111111111111'],
  ])('%s', (_, digits) => expect(isCardNumber(digits)).toBe(false))
})

describe('card numbers are replaced', () => {
  test.each([
    ['alone', '4111111111111111', '<4111111111111111>'],
    ['with blanks', '4111 1111 1111 1111', '<4111111111111111>'],
    ['with hyphens', '3782-822463-10005', '<378282246310005>'],
    ['within a sentence', 'paid with 4111 1111 1111 1111, thanks', 'paid with <4111111111111111>, thanks'],
    ['in JSON within a string', '{"pan":"4111111111111111"}', '{"pan":"<4111111111111111>"}'],
    ['after an underscore', 'pan_4111111111111111', 'pan_<4111111111111111>'],
    ['twice', '4111111111111111 5555555555554444', '<4111111111111111> <5555555555554444>'],
    ['after a date', '2023-06-01 4111-1111-1111-1111', '2023-06-01 <4111111111111111>'],
    ['before other digits', '4111 1111 1111 1111 12 27', '<4111111111111111> 12 27'],
    ['before a word of digits and letters', '4111 1111 1111 1111 9a', '<4111111111111111> 9a'],
    ['with a sign', '-4111111111111111', '-<4111111111111111>'],
  ])('%s', (_, text, expected) => {
    expect(mayHoldCard(text)).toBe(true)
    expect(replace(text)).toBe(expected)
  })
})

describe('left alone is', () => {
  test.each([
    ['a mask', '411111------1111'],
    ['another mask', '411111XXXXXX1111'],
    ['an opaque id', 'IC4111111111111111N'],
    ['a number within a word', 'a4111111111111111'],
    ['digits that go on', '41111111111111110000000'],
    ['a UUID', '41111111-1111-1111-1111-111111111111'],
    ['a time whose digits would pass', '2023-06-01T12:30:15.412345674-0000'],
    ['coordinates whose digits would pass', '33.7489954,-84.4111111111111111'],
    ['two separators', '4111  1111  1111  1111'],
    ['a phone number', '+1 404 555 0123'],
  ])('%s', (_, text) => expect(replace(text)).toBe(text))
})

const separated = fc
  .tuple(fc.constantFrom(...Object.values(TEST_CARDS)), fc.array(fc.constantFrom('', ' ', '-'), { minLength: 19 }))
  .map(([digits, separators]) =>
    [...digits]
      .map((digit, i) => digit + separators[i])
      .join('')
      .replace(/[ -]$/, ''),
  )

test('the quick look never misses a card, wherever it stands and however it is grouped', () => {
  fc.assert(
    fc.property(fc.string(), separated, fc.string(), (before, card, after) => {
      const text = `${before}|${card}|${after}`
      expect(mayHoldCard(text)).toBe(true)
      expect(replace(text)).not.toContain(card)
    }),
  )
})

test('a text of a million digits, and one of a million groups, take no time', () => {
  const started = performance.now()
  replace('1'.repeat(1_000_000))
  replace('1 '.repeat(500_000))
  replace('4 '.repeat(500_000))
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a UUID of digits within a text is left alone, and a card beside it is not', () => {
  expect(replace('41111111-1111-1111-1111-111111111111 4111111111111111')).toBe(
    '41111111-1111-1111-1111-111111111111 <4111111111111111>',
  )
})
