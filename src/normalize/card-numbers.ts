import { SHORTEST_CARD } from './digit-runs.ts'

/**
 * What a card number is: 13–19 digits, alone or with single blanks or hyphens between them, or in groups with more between
 * (`printed-cards.ts`); Luhn-valid, of a prefix and a length that a card network issues, and not part of a longer word. A
 * tenth of all digit strings pass Luhn, so prefix and length decide how many innocent numbers are taken for cards: 1.8 % of
 * random numbers of 13–19 digits, 3.8 % of those of 16 digits; epoch milliseconds and microseconds never (they begin
 * with 1). `CARD_EXEMPT_PATHS` names fields to spare.
 *
 * Sources: ISO/IEC 7812; the networks' published ranges.
 */
interface Range {
  /** First and last prefix, of equal length. */
  from: number
  to: number
  lengths: readonly number[]
}

const ANY = [13, 14, 15, 16, 17, 18, 19]
const LONG = [16, 17, 18, 19]

const RANGES: readonly Range[] = [
  { from: 4, to: 4, lengths: [13, 16, 19] }, //                Visa
  { from: 51, to: 55, lengths: [16] }, //                      Mastercard
  { from: 2221, to: 2720, lengths: [16] }, //                  Mastercard
  { from: 34, to: 34, lengths: [15] }, //                      American Express
  { from: 37, to: 37, lengths: [15] }, //                      American Express
  { from: 300, to: 305, lengths: [14, ...LONG] }, //           Diners Club
  { from: 3095, to: 3095, lengths: [14, ...LONG] }, //         Diners Club
  { from: 36, to: 36, lengths: [14, ...LONG] }, //             Diners Club
  { from: 38, to: 39, lengths: [14, ...LONG] }, //             Diners Club
  { from: 3528, to: 3589, lengths: LONG }, //                  JCB
  { from: 6011, to: 6011, lengths: LONG }, //                  Discover
  { from: 644, to: 649, lengths: LONG }, //                    Discover
  { from: 65, to: 65, lengths: LONG }, //                      Discover, RuPay, Verve
  { from: 60, to: 60, lengths: [16] }, //                      RuPay, Hipercard
  { from: 62, to: 62, lengths: LONG }, //                      UnionPay
  { from: 81, to: 82, lengths: LONG }, //                      UnionPay, RuPay
  { from: 50, to: 50, lengths: ANY }, //                       Maestro, Verve, Elo
  { from: 56, to: 58, lengths: ANY }, //                       Maestro
  { from: 6304, to: 6304, lengths: ANY }, //                   Maestro
  { from: 6759, to: 6759, lengths: ANY }, //                   Maestro
  { from: 6767, to: 6767, lengths: ANY }, //                   Maestro
  { from: 6761, to: 6763, lengths: ANY }, //                   Maestro
  { from: 636, to: 639, lengths: [16, 19] }, //                InterPayment, InstaPayment, Elo
  { from: 2200, to: 2204, lengths: LONG }, //                  Mir
  { from: 9792, to: 9792, lengths: [16] }, //                  Troy
]

export const LONGEST_CARD = 19

/** Lengths, as a set of bits, that are issued under each first four digits. */
const ISSUED = issued()

function issued(): Uint32Array {
  const table = new Uint32Array(10_000)
  for (const { from, to, lengths } of RANGES) {
    const width = 10 ** (4 - String(from).length)
    for (let first = from * width; first < (to + 1) * width; first++) {
      for (const length of lengths) table[first] = (table[first] ?? 0) | (1 << length)
    }
  }
  return table
}

/** The lengths of a card number that begins with the first four of these digits: bit `n` for `n` digits. */
function issuedLengths(digits: string, start = 0): number {
  let first = 0
  for (let i = start; i < start + 4; i++) first = first * 10 + digits.charCodeAt(i) - 48
  return ISSUED[first] ?? 0
}

/** Whether digits (and nothing else) are a card number. */
export function isCardNumber(digits: string): boolean {
  const length = digits.length
  if (length < SHORTEST_CARD || length > LONGEST_CARD) return false
  return (issuedLengths(digits) & (1 << length)) !== 0 && passesLuhn(digits)
}

/**
 * Length of the longest card number that begins at `first` and ends before `count`; 0 when none does.
 * @param mayEnd whether one may end with this digit
 */
export function lengthOfCard(digits: string, first: number, count: number, mayEnd: (last: number) => boolean): number {
  const lengths = issuedLengths(digits, first)
  if (lengths === 0) return 0
  for (let length = Math.min(LONGEST_CARD, count - first); length >= SHORTEST_CARD; length--) {
    if ((lengths & (1 << length)) === 0 || !mayEnd(first + length - 1)) continue
    if (passesLuhn(digits.slice(first, first + length))) return length
  }
  return 0
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}
