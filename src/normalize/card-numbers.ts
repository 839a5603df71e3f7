import { isDigit, isSeparator, nextRun, SHORTEST_CARD } from './digit-runs.ts'

/**
 * What a card number is: 13–19 digits, alone or with single blanks or hyphens between them, Luhn-valid, of a prefix and a
 * length that a card network issues, and not part of a longer word. A tenth of all digit strings pass Luhn, so prefix and
 * length decide how many innocent numbers are taken for cards: 1.8 % of random numbers of 13–19 digits, 3.8 % of those of
 * 16 digits; epoch milliseconds and microseconds never (they begin with 1). `CARD_EXEMPT_PATHS` names fields to spare.
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
  if (length < SHORTEST_CARD || length > LONGEST) return false
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
 * Whether a text may hold a card number: cheap, and never wrong when it says no. A card number covers at least 13
 * characters, so it covers both characters at some place 11, 23, 35 …, and 13 digits and separators around it.
 */
export function mayHoldCard(text: string): boolean {
  for (let i = SHORTEST_CARD - 2; i + 1 < text.length; i += SHORTEST_CARD - 1) {
    if (isOfRun(text, i) && isOfRun(text, i + 1) && isWide(text, i)) return nextRun(text, 0, false) !== null
  }
  return false
}

const isOfRun = (text: string, i: number) => isDigit(text.charCodeAt(i)) || isSeparator(text.charCodeAt(i))

/** Whether at least 13 digits and separators in a row stand around a place. */
function isWide(text: string, place: number): boolean {
  let start = place
  while (isOfRun(text, start - 1)) start--
  let end = place + 1
  while (end - start < SHORTEST_CARD && isOfRun(text, end)) end++
  return end - start >= SHORTEST_CARD
}

/** Texts made of digits that are no card numbers, whatever their digits add up to: times and decimal numbers. */
const INNOCENT =
  /^(?:\d{4}-\d\d-\d\d[Tt ]\d\d:[\d:.,]{2,15} ?(?:[Zz]|[+-][\d:]{2,5})?|[\s(]*[+-]?\d{1,12}\.\d+(?:[\s,;]+[+-]?\d{1,12}\.\d+)*[\s)]*)$/

const WORD = /^[\p{L}\p{N}]/u

/** A longer text is looked through: an expression fails on millions of characters. */
const MOST_INNOCENT = 100_000

/** UUIDs that happen to have many digits are no card numbers either, wherever they stand. */
const UUID = /(?<![\p{L}\p{N}_-])([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\p{L}\p{N}_-])/iu

/**
 * Replaces every card number in a text by what `replace` makes of its digits; the same text when there is none. Where a
 * run of digits is longer than a card (`2023-06-01 4111 1111 1111 1111`), each series of its groups is looked at.
 */
export function replaceCards(text: string, replace: (digits: string) => string): string {
  if (nextRun(text, 0, true) === null || (text.length <= MOST_INNOCENT && INNOCENT.test(text))) return text
  if (!UUID.test(text)) return replaceInPart(text, replace)
  // Split by UUIDs: they stand at the odd places.
  return text
    .split(UUID)
    .map((part, i) => (i % 2 === 0 ? replaceInPart(part, replace) : part))
    .join('')
}

function replaceInPart(part: string, replace: (digits: string) => string): string {
  let result = ''
  let copied = 0
  for (let run = nextRun(part, 0, true); run !== null; run = nextRun(part, run.end, true)) {
    const goesOn = WORD.test(part.slice(run.end, run.end + 2))
    result += part.slice(copied, run.start) + replaceInRun(part.slice(run.start, run.end), goesOn, replace)
    copied = run.end
  }
  return result + part.slice(copied)
}

/** @param open the last group goes on as a word, so it is no group of digits. */
function replaceInRun(run: string, open: boolean, replace: (digits: string) => string): string {
  const digits = run.replace(/[ -]/g, '')
  const places = placesOfDigits(run)
  const startsGroup = (i: number) => i === 0 || places[i] !== (places[i - 1] ?? 0) + 1
  let count = places.length
  if (open) while (count > 0 && !startsGroup(--count));
  const endsGroup = (i: number) => i === count - 1 || startsGroup(i + 1)
  let result = ''
  let copied = 0
  for (let first = 0; first + SHORTEST_CARD <= count; first++) {
    const length = startsGroup(first) ? lengthOfCard(digits, first, count, endsGroup) : 0
    if (length === 0) continue
    result += run.slice(copied, places[first]) + replace(digits.slice(first, first + length))
    first += length - 1
    copied = (places[first] ?? 0) + 1
  }
  return result + run.slice(copied)
}

/** Length of the longest card number that begins at `first` and ends with a group; 0 when none does. */
function lengthOfCard(digits: string, first: number, count: number, endsGroup: (i: number) => boolean): number {
  const lengths = issuedLengths(digits, first)
  if (lengths === 0) return 0
  for (let length = Math.min(LONGEST, count - first); length >= SHORTEST_CARD; length--) {
    if ((lengths & (1 << length)) === 0 || !endsGroup(first + length - 1)) continue
    if (passesLuhn(digits.slice(first, first + length))) return length
  }
  return 0
}

function placesOfDigits(run: string): Int32Array {
  const places = new Int32Array(run.length)
  let count = 0
  for (let i = 0; i < run.length; i++) if (isDigit(run.charCodeAt(i))) places[count++] = i
  return places.subarray(0, count)
}
