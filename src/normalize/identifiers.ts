import type { Reject } from '../contract/dead-letter.ts'
import { Decimal, type Json } from '../contract/record.ts'
import { reject } from './reject.ts'

/** Most bytes (UTF-8) of an identifying field. */
const MAX_IDENTIFIER_BYTES = 1024

/** Text of an id: text as it is, an integer as its decimal digits; null when the value is neither, or blank. */
export function textOfId(value: Json | undefined): string | null {
  switch (typeof value) {
    case 'string':
      return value.trim() === '' ? null : value
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isSafeInteger(value) ? String(value) : Number.isInteger(value) ? String(BigInt(value)) : null
    default:
      return value instanceof Decimal ? textOfDecimal(value) : null
  }
}

/** Of a whole number; longer ones than any id are none. */
function textOfDecimal({ text, digits, exponent }: Decimal): string | null {
  if (exponent < 0 || exponent > 100) return null
  return `${text.startsWith('-') ? '-' : ''}${digits}${'0'.repeat(exponent)}`
}

/** Null when the text can be an identifier. */
export function faultOf(name: string, text: string | null): Reject | null {
  if (text === null) return null
  if (isLong(text)) {
    return reject('field_too_long', `${name} is longer than ${MAX_IDENTIFIER_BYTES} bytes. Send a shorter one.`)
  }
  if (text.includes('\0') || !text.isWellFormed()) {
    return reject('invalid_field', `${name} holds a NUL or half a surrogate pair. Send well-formed text.`)
  }
  return null
}

const isLong = (text: string) =>
  text.length * 3 > MAX_IDENTIFIER_BYTES && Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES
