import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isCardNumber } from '../../../src/normalize/card-numbers.ts'
import { mayHoldCard, replaceCards } from '../../../src/normalize/cards-in-text.ts'

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

/** Between angles; as letters while it works, since what it puts in is no card number. */
const replace = (text: string) =>
  replaceCards(text, (digits) => `<${digits.replace(/./g, (digit) => LETTERS.charAt(Number(digit)))}>`).replace(
    /<[Α-Κ]+>/g,
    (found) => found.replace(/[Α-Κ]/g, (letter) => String(LETTERS.indexOf(letter))),
  )
const LETTERS = 'ΑΒΓΔΕΖΗΘΙΚ'

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
    ['with no-break blanks', '4111\u00a01111\u00a01111\u00a01111', '<4111111111111111>'],
    ['with dashes', '4111–1111–1111–1111', '<4111111111111111>'],
    ['with bytes that were no UTF-8', '4111\ufffd1111\ufffd1111\ufffd1111', '<4111111111111111>'],
    ['after a percent escape', 'a=card%204111111111111111', 'a=card%20<4111111111111111>'],
    [
      'after a line break in JSON in a text',
      '{"m":"of\\n4111111111111111\\r\\n"}',
      '{"m":"of\\n<4111111111111111>\\r\\n"}',
    ],
    ['after a character by number', 'x\\u00e94111111111111111', 'x\\u00e9<4111111111111111>'],
    [
      'in an address within an address',
      'u=https%3A%2F%2Fx%3Fpan%3D4111111111111111%26y',
      'u=https%3A%2F%2Fx%3Fpan%3D<4111111111111111>%26y',
    ],
    ['with a sign', '-4111111111111111', '-<4111111111111111>'],
  ])('%s', (_, text, expected) => {
    expect(mayHoldCard(text)).toBe(true)
    expect(replace(text)).toBe(expected)
  })
})

describe('card numbers in groups are replaced', () => {
  test.each([
    '.',
    '_',
    '/',
    '\\',
    '\\/',
    '\\t',
    '\\\\\\\\',
    '+',
    '%20',
    '\t',
    '  ',
    ' - ',
    ' – ',
    '\u00a0\u00a0',
    ' . ',
  ])('with %j between', (between) => {
    const grouped = (...groups: string[]) => `pan=${groups.join(between)}&n=1`
    for (const [text, digits, rest] of [
      [grouped('4111', '1111', '1111', '1111'), '4111111111111111', ''],
      [grouped('3782', '822463', '10005'), '378282246310005', ''],
      [grouped('3056', '930902', '5904'), '30569309025904', ''],
      [grouped('6304', '0000', '0000', '0000', '000'), '6304000000000000000', ''],
      [grouped('1234', '4111', '1111', '1111', '1111'), '4111111111111111', ''],
      [grouped('4111', '1111', '1111', '1111', '123'), '4111111111111111', `${between}123`],
    ] as const) {
      expect(mayHoldCard(text)).toBe(true)
      expect(replace(text).replace(`1234${between}`, '')).toBe(`pan=<${digits}>${rest}&n=1`)
    }
  })

  test.each([
    ['of a list', '4111,1111,1111,1111'],
    ['of a list with blanks', '4111, 1111, 1111, 1111'],
    ['of no card', '4111.1111.1111.1112'],
    ['of other widths', '41.1111.1111.1111.11'],
    ['with different marks', '4111.1111/1111.1111'],
    ['within a word', 'a4111.1111.1111.1111'],
  ])('not %s', (_, text) => expect(replace(text)).toBe(text))
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
    ['digits two blanks apart', '41  11  11  11  11  11  11  11'],
    ['a phone number', '+1 404 555 0123'],
  ])('%s', (_, text) => expect(replace(text)).toBe(text))
})

const separated = fc
  .tuple(
    fc.constantFrom(...Object.values(TEST_CARDS)),
    fc.array(fc.constantFrom('', ' ', '-', '\u00a0', '–'), { minLength: 19 }),
  )
  .map(([digits, separators]) =>
    [...digits]
      .map((digit, i) => digit + separators[i])
      .join('')
      .replace(/\D$/, ''),
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
  const started = process.cpuUsage()
  replace('1'.repeat(1_000_000))
  replace('1 '.repeat(500_000))
  replace('4 '.repeat(500_000))
  for (const between of ['.', '  ', '%20', '\\', ' - ', '-']) replace(`4111${between}`.repeat(200_000))
  for (const mark of ['.', '\\', ' ', '-', '%']) mayHoldCard(`x${mark.repeat(1_000_000)}`)
  expect(process.cpuUsage(started).user / 1_000).toBeLessThan(5_000)
})

test('a UUID of digits within a text is left alone, and a card beside it is not', () => {
  expect(replace('41111111-1111-1111-1111-111111111111 4111111111111111')).toBe(
    '41111111-1111-1111-1111-111111111111 <4111111111111111>',
  )
})
