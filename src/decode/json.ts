import { isUtf8 } from 'node:buffer'
import type { Reject } from '../contract/dead-letter.ts'
import type { Json } from '../contract/record.ts'

/** A value, or why there is none. */
export type Decoded = { value: Json } | Reject

/**
 * Decodes JSON text (UTF-8, a byte order mark is tolerated). As `JSON.parse` has it: the last of equal keys wins, and
 * `__proto__` is a key like others. Integers beyond 2^53 become bigint and keep their value; decimals are doubles, and
 * infinite when they are beyond them (`1e400`).
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
    return { value: mayBeInexact(text) ? parseExactly(text) : (JSON.parse(text) as Json) }
  } catch (error) {
    return rejectOf(error)
  }
}

const BYTE_ORDER_MARK = 0xfeff

/** Integers of fewer digits are exact in a double. */
const EXACT_DIGITS = 15

/**
 * Whether the text may hold an integer that a double does not keep. Fast for the many that do not: 16 digits in a row
 * cover one of the places 15, 31, 47 …, so only these are looked at.
 */
function mayBeInexact(text: string): boolean {
  for (let i = EXACT_DIGITS; i < text.length; i += EXACT_DIGITS + 1) {
    if (isDigit(text.charCodeAt(i)) && digitsAround(text, i) > EXACT_DIGITS) return LONG_INTEGER.test(text)
  }
  return false
}

/** Digits that follow a quote, a dot or a letter (ids in strings, fractions) are no integers. */
const LONG_INTEGER = /(?:^|[:,[\s])-?[0-9]{16}/

function digitsAround(text: string, at: number): number {
  let first = at
  let last = at
  while (isDigit(text.charCodeAt(first - 1))) first--
  while (isDigit(text.charCodeAt(last + 1))) last++
  return last - first + 1
}

const isDigit = (code: number) => code >= 48 && code <= 57

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const INTEGER = /^-?[0-9]+$/

class OutOfRange extends Error {}

/** TypeScript's library does not know the third argument yet; V8 gives it since Node 21. */
type SourceReviver = (this: unknown, key: string, value: Json, context?: { source?: string }) => Json

function parseExactly(text: string): Json {
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as Json
}

const exact: SourceReviver = (_key, value, context) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  if (context === undefined) throw new OutOfRange('This Node rounds integers beyond 2^53. Run on Node 22.22 or newer.')
  const { source } = context
  if (source === undefined) return value
  if (!INTEGER.test(source)) return value
  const integer = BigInt(source)
  if (integer >= INT64_MIN && integer <= INT64_MAX) return integer
  throw new OutOfRange('An integer is beyond 64 bits, which MongoDB cannot keep. Send it as text.')
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
