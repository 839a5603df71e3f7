import { Binary, Decimal128, Long } from 'mongodb'
import { Decimal, type Json } from '../contract/record.ts'

/**
 * A value of a document as it was before it was stored, from what the driver gives: 64-bit integers that are no safe number as
 * bigint, decimals as `Decimal`. What our documents do not hold (other types of BSON) becomes its text.
 */
export function readBack(value: unknown): Json {
  if (Array.isArray(value)) return value.map(readBack)
  if (typeof value !== 'object' || value === null) return value as Json
  if (Long.isLong(value)) return (value as Long).toBigInt()
  if (value instanceof Decimal128) return decimalOf(String(value))
  if (value instanceof Binary || Object.getPrototypeOf(value) !== Object.prototype) return String(value)
  const fields = Object.entries(value).map(([key, inner]) => [key, readBack(inner)] as const)
  return Object.fromEntries(fields)
}

/** Of the text that Decimal128 gives: at most 34 digits. */
function decimalOf(text: string): Decimal {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:E(.+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const counting = digits.replace(/0+$/, '')
  return new Decimal(sign as '', counting, Number(power) - fraction.length + digits.length - counting.length)
}
