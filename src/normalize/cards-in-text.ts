import { lengthOfCard } from './card-numbers.ts'
import { isDigit, isSeparator, nextRun, SHORTEST_CARD } from './digit-runs.ts'
import { ESCAPED, replacePrinted } from './printed-cards.ts'
import { replaceSpans, type Span } from './spans.ts'

/**
 * Whether a text may hold a card number: cheap, and never wrong when it says no. A card number covers at least 13
 * characters, so it covers both characters at some place 11, 23, 35 …, and its digits stand around it, near.
 */
export function mayHoldCard(text: string): boolean {
  for (let i = SHORTEST_CARD - 2; i + 1 < text.length; i += SHORTEST_CARD - 1) {
    if (isOfCard(text, i) && isOfCard(text, i + 1) && hasDigitsAround(text, i)) return true
  }
  return false
}

function hasDigitsAround(text: string, place: number): boolean {
  let digits = 0
  for (let i = place; i > place - WIDEST_CARD && isOfCard(text, i); i--) if (isDigit(text.charCodeAt(i))) digits++
  for (let i = place + 1; i < place + WIDEST_CARD && isOfCard(text, i); i++) if (isDigit(text.charCodeAt(i))) digits++
  return digits >= SHORTEST_CARD
}

/** Digits, and what may stand between them or between groups (`printed-cards.ts`; the `t` is of `\\t`). */
function isOfCard(text: string, i: number): boolean {
  const code = text.charCodeAt(i)
  return code < 128 ? OF_CARD[code] === 1 : isSeparator(code)
}

const OF_CARD = new Uint8Array(128)
for (const character of '0123456789 -._/\\+%\tt') OF_CARD[character.charCodeAt(0)] = 1
/** 19 digits, and 4 times 9 characters between their groups. */
const WIDEST_CARD = 55

/** Texts made of digits that are no card numbers, whatever their digits add up to: times and decimal numbers. */
const INNOCENT =
  /^(?:\d{4}-\d\d-\d\d[Tt ]\d\d:[\d:.,]{2,15} ?(?:[Zz]|[+-][\d:]{2,5})?|[\s(]*[+-]?\d{1,12}\.\d+(?:[\s,;]+[+-]?\d{1,12}\.\d+)*[\s)]*)$/

const WORD = /^[\p{L}\p{N}]/u

/** A longer text is looked through: an expression fails on millions of characters. */
const MOST_INNOCENT = 100_000

/** UUIDs that happen to have many digits are no card numbers either. */
const UUIDS = /(?<![\p{L}\p{N}_-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\p{L}\p{N}_-])/giu

/**
 * Replaces every card number in a text by what `replace` makes of its digits; the same text when there is none. Where a
 * run of digits is longer than a card (`2023-06-01 4111 1111 1111 1111`), each series of its groups is looked at.
 */
export function replaceCards(text: string, replace: (digits: string) => string): string {
  const clean = replacePlain(text, replace)
  return clean.includes('%') || clean.includes('\\') ? replaceBetweenEscapes(clean, replace) : clean
}

function replacePlain(text: string, replace: (digits: string) => string): string {
  const clean = isInnocent(text) ? text : replaceRuns(text, without(UUIDS, text), replace)
  return replacePrinted(clean, clean, replace)
}

/** Of addresses and of JSON, within a text: `%20` and `\\n` are no digits, and no end of a word. */
function replaceBetweenEscapes(text: string, replace: (digits: string) => string): string {
  const clean = replaceRuns(text, without(ESCAPES, text), replace)
  return replacePrinted(clean, without(ESCAPES, clean), replace)
}

/** As it is read where these are not looked at; of the same length. */
const without = (these: RegExp, text: string) => text.replace(these, (all) => ESCAPED.repeat(all.length))

const ESCAPES = /%[0-9a-fA-F]{2}|\\{1,16}(?:[bfnrt]|u[0-9a-fA-F]{4})/g

const isInnocent = (text: string) =>
  nextRun(text, 0, true) === null || (text.length <= MOST_INNOCENT && INNOCENT.test(text))

/** @param shown the text, of equal length, as it is to be read. */
const replaceRuns = (text: string, shown: string, replace: (digits: string) => string): string =>
  replaceSpans(text, shown, nextRunAlone, cleanRun, replace)

const nextRunAlone = (shown: string, from: number) => nextRun(shown, from, true)

const cleanRun = ({ start, end }: Span, shown: string, replace: (digits: string) => string): string =>
  replaceInRun(shown.slice(start, end), WORD.test(shown.slice(end, end + 2)), replace)

/** @param open the last group goes on as a word, so it is no group of digits. */
function replaceInRun(run: string, open: boolean, replace: (digits: string) => string): string {
  const digits = run.replace(/\D/g, '')
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

function placesOfDigits(run: string): Int32Array {
  const places = new Int32Array(run.length)
  let count = 0
  for (let i = 0; i < run.length; i++) if (isDigit(run.charCodeAt(i))) places[count++] = i
  return places.subarray(0, count)
}
