import type { Reject } from '../contract/dead-letter.ts'
import type { Json } from '../contract/record.ts'
import { reject } from './reject.ts'

/** A longer text is no number. */
const LONGEST = 64
const NUMERIC = /^\s*[+-]?\d{1,15}(?:\.\d{1,6})?\s*$/

/** `http_status` as a document has it: numeric text becomes a number, since readers type the field Number. */
export function readHttpStatus(value: Json): number | string | null | Reject {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'string':
      return value.length <= LONGEST && NUMERIC.test(value) ? Number(value) : value
    case 'bigint':
      return String(value)
    default:
      if (value === null) return null
      return reject(
        'invalid_field',
        'http_status is neither a number nor text. Send 200, "200" or a word such as "ETIMEDOUT".',
      )
  }
}

/** Whether the call failed: 400 and above, 0, or a word such as `ETIMEDOUT`. An absent or null status is no error. */
export function isError(status: number | string | null | undefined): boolean {
  if (status === undefined || status === null) return false
  return typeof status === 'string' || status >= 400 || status === 0
}
