/**
 * What a card number is: 13–19 digits, alone or with single blanks or hyphens between them, Luhn-valid, of a prefix and a
 * length that a card network issues, and not part of a longer word. A tenth of all digit strings pass Luhn, so prefix and
 * length decide how many innocent numbers are taken for cards: of random numbers of 13–19 digits about 2 %; epoch
 * milliseconds and microseconds never (they begin with 1).
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

const SHORTEST = 13
const LONGEST = 19

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
export function issuedLengths(digits: string, start = 0): number {
  let first = 0
  for (let i = start; i < start + 4; i++) first = first * 10 + digits.charCodeAt(i) - 48
  return ISSUED[first] ?? 0
}

/** Whether digits (and nothing else) are a card number. */
export function isCardNumber(digits: string): boolean {
  const length = digits.length
  if (length < SHORTEST || length > LONGEST) return false
  return (issuedLengths(digits) & (1 << length)) !== 0 && passesLuhn(digits)
}

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/**
 * Whether a text may hold a card number: cheap and never wrong when it says no. A card number covers at least 13
 * characters and has a digit in every two of them; so it covers both characters at some place 11, 23, 35 …, and one is a
 * digit.
 */
export function mayHoldCard(text: string): boolean {
  for (let i = 11; i + 1 < text.length; i += 12) {
    if (isDigit(text.charCodeAt(i)) || isDigit(text.charCodeAt(i + 1))) return true
  }
  return false
}

/** Texts made of digits that are no card numbers, whatever their digits add up to: times and decimal numbers. */
const INNOCENT =
  /^(?:\d{4}-\d\d-\d\d[Tt ]\d\d:[\d:.,]{2,15} ?(?:[Zz]|[+-][\d:]{2,5})?|[\s(]*[+-]?\d{1,12}\.\d+(?:[\s,;]+[+-]?\d{1,12}\.\d+)*[\s)]*)$/

/** Digits with single separators between them, not within a word. */
const RUNS = /(?<![\p{L}\p{N}])\d(?:[ -]?\d){12,}/gu
const WORD = /[\p{L}\p{N}]/u

/**
 * Replaces every card number in a text by what `replace` makes of its digits; the same text when there is none. Where a
 * run of digits is longer than a card (`2023-06-01 4111 1111 1111 1111`), each series of its groups is looked at.
 */
export function replaceCards(text: string, replace: (digits: string) => string): string {
  RUNS.lastIndex = 0
  if (!RUNS.test(text) || INNOCENT.test(text)) return text
  return text.replace(RUNS, (run: string, at: number) =>
    replaceInRun(run, WORD.test(text.charAt(at + run.length)), replace),
  )
}

/** @param open the last group goes on as a word, so it is no group of digits. */
function replaceInRun(run: string, open: boolean, replace: (digits: string) => string): string {
  // Groups of digits at the even places, what parts them at the odd ones.
  const parts = run.split(/([ -])/)
  const last = open ? parts.length - 3 : parts.length - 1
  let result = ''
  for (let first = 0; first < parts.length; first += 2) {
    const end = endOfCard(parts, first, last)
    result += (end < 0 ? parts[first] : replace(digitsOf(parts, first, end))) ?? ''
    first = Math.max(first, end)
    result += parts[first + 1] ?? ''
  }
  return result
}

/** Place of the last group of the longest card number that begins with the group at `first`; -1 when none does. */
function endOfCard(parts: readonly string[], first: number, last: number): number {
  let digits = ''
  let end = -1
  for (let i = first; i <= last && digits.length < LONGEST; i += 2) {
    digits += parts[i]
    if (isCardNumber(digits)) end = i
  }
  return end
}

function digitsOf(parts: readonly string[], first: number, end: number): string {
  let digits = ''
  for (let i = first; i <= end; i += 2) digits += parts[i]
  return digits
}

const isDigit = (code: number) => code >= 48 && code <= 57
