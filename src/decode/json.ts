import { isUtf8 } from 'node:buffer'
import type { Reject } from '../contract/dead-letter.ts'
import { Decimal, type Json } from '../contract/record.ts'
import { giveNamesBack, renameEscapedKeys } from './escaped-keys.ts'
import { exactNumber } from './number.ts'

/** A value, or why there is none. */
export type Decoded = { value: Json } | Reject

/**
 * Decodes JSON text (UTF-8, a byte order mark is tolerated). As `JSON.parse` has it: the last of equal keys wins, and
 * `__proto__` is a key like others. Numbers keep their value: a double where it has the value, to as many
 * digits as are given; else bigint or Decimal.
 */
export function decodeJson(bytes: Buffer): Decoded {
  if (bytes.length === 0)
    return { reject: 'empty_value', message: 'The value has no bytes. Send JSON, or null to invalidate.' }
  if (!isUtf8(bytes)) {
    return {
      reject: 'invalid_utf8',
      message: 'The value is neither UTF-8 nor framed for a schema registry. Send JSON in UTF-8.',
    }
  }
  const text = bytes.toString('utf8')
  return parseJson(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
}

/** Parses JSON text, exactly where a double would not do. */
export function parseJson(text: string): Decoded {
  try {
    const renamed = renameEscapedKeys(text)
    const value = renamed === null ? parse(text) : giveNamesBack(parse(renamed.text), renamed.names)
    return text.includes('\\u') && SURROGATE_ESCAPE.test(text) && !isWellFormed(value) ? ILL_FORMED : { value }
  } catch (error) {
    return rejectOf(error)
  }
}

const parse = (text: string): Json => (mayBeInexact(text) ? parseExactly(text) : (JSON.parse(text) as Json))

const BYTE_ORDER_MARK = 0xfeff

/** Numbers of fewer digits are exact in a double, or the text of one. */
const EXACT_DIGITS = 15

/**
 * Whether the text may hold a number that a double does not keep. Fast for the many that do not: 16 digits in a row, a dot
 * among them or not, cover one of the places 15, 31, 47 …, so only these are looked at; and exponents are rare.
 */
function mayBeInexact(text: string): boolean {
  for (let i = EXACT_DIGITS; i < text.length; i += EXACT_DIGITS + 1) {
    if (!isDigit(text.charCodeAt(i))) continue
    let first = i
    while (isDigit(text.charCodeAt(first - 1))) first--
    while (isDigit(text.charCodeAt(i + 1))) i++
    if (i - first >= EXACT_DIGITS && isInexact(text, first, i + 1)) return true
  }
  return LIKE_GREAT_EXPONENT.test(text) && GREAT_EXPONENT.test(text)
}

/** Whether the digits stand where a number may, and no double is written so. */
function isInexact(text: string, first: number, end: number): boolean {
  const before = text[first - 1] === '-' ? text[first - 2] : text[first - 1]
  if (before !== undefined && !BEFORE_NUMBER.includes(before)) return false // it follows a quote or a letter
  const after = text[end]
  if (after === 'e' || after === 'E') return true
  const digits = text.slice(first, end)
  const double = Number(digits)
  return digits.includes('.') ? String(double) !== digits : !Number.isSafeInteger(double)
}

const BEFORE_NUMBER = ':,[ \t\r\n'

/** Beyond those of most doubles; the first is quick to find, and what follows keeps most hexadecimal ids out. */
const LIKE_GREAT_EXPONENT = /[0-9.][eE][-+]?[0-9]{3,}(?:[\s,\]}]|$)/
const GREAT_EXPONENT = /(?:^|[:,[\s])-?[0-9.]+[eE][-+]?[0-9]{3}/

/** A dot counts as one: it may stand among the digits of a number. */
const isDigit = (code: number) => (code >= 48 && code <= 57) || code === DOT
const DOT = 46

class OutOfRange extends Error {}

/** TypeScript's library does not know the third argument yet; V8 gives it since Node 21. */
type SourceReviver = (this: unknown, key: string, value: Json, context?: { source?: string }) => Json

function parseExactly(text: string): Json {
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as Json
}

const exact: SourceReviver = (_key, value, context) => {
  if (typeof value !== 'number') return value
  if (context?.source === undefined) {
    if (Number.isSafeInteger(value)) return value
    throw new OutOfRange('This Node rounds integers beyond 2^53. Run on Node 22.22 or newer.')
  }
  const kept = exactNumber(context.source, value)
  if (kept === null) throw new OutOfRange('A number has more digits than MongoDB keeps. Send it as text.')
  return kept
}

/** Half of a surrogate pair can only come in as an escape, since the bytes are UTF-8. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

function isWellFormed(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner))
}

const ILL_FORMED: Reject = {
  reject: 'ill_formed_text',
  message: 'A text of the value holds half a surrogate pair, which UTF-8 cannot. Send well-formed text.',
}

/** Messages of `JSON.parse` quote the text, which may be card data: they are not passed on. */
function rejectOf(error: unknown): Reject {
  if (error instanceof OutOfRange) return { reject: 'number_out_of_range', message: error.message }
  if (error instanceof RangeError) {
    return { reject: 'too_deep', message: 'The JSON is nested too deep to be read. Send it flatter.' }
  }
  const place = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
  const where = place === undefined ? '' : ` (at character ${place})`
  return { reject: 'invalid_json', message: `The value is not JSON${where}. Send one JSON object.` }
}
