import { Binary, Decimal128, Long } from 'mongodb'
import { isoOf } from '../contract/iso-time.ts'

/**
 * The JSON of a value as the driver reads it from a document, in one walk: 64-bit integers and decimals with all their digits, dates
 * as ISO 8601. What our documents do not hold (other types of BSON) becomes its text. A few times faster than to make an object of
 * exact numbers first, and a text of that.
 */
export function jsonText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : objectText(value)
    default:
      return 'null'
  }
}

function objectText(value: object): string {
  if (Array.isArray(value)) return arrayText(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : `"${isoOf(value.getTime())}"`
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return membersText(value as Record<string, unknown>)
  if (Long.isLong(value)) return String(value)
  if (value instanceof Decimal128) return decimalText(String(value))
  if (value instanceof Binary) return JSON.stringify(value.toString())
  return JSON.stringify(String(value))
}

function arrayText(items: unknown[]): string {
  let text = '['
  for (let i = 0; i < items.length; i++) text += i === 0 ? jsonText(items[i]) : `,${jsonText(items[i])}`
  return `${text}]`
}

function membersText(object: Record<string, unknown>): string {
  let text = ''
  for (const name in object) {
    const value = object[name]
    if (value === undefined) continue
    text += `${text === '' ? '{' : ','}${quotedName(name)}:${jsonText(value)}`
  }
  return text === '' ? '{}' : `${text}}`
}

const names = new Map<string, string>()
const MOST_NAMES = 10_000
const LONGEST_NAME = 64

/** Most names of a run are few, so their JSON is remembered. */
function quotedName(name: string): string {
  let quoted = names.get(name)
  if (quoted !== undefined) return quoted
  quoted = JSON.stringify(name)
  if (name.length > LONGEST_NAME) return quoted
  if (names.size >= MOST_NAMES) names.clear()
  names.set(name, quoted)
  return quoted
}

/** `Infinity` and `NaN` are no JSON; MongoDB writes an exponent as JSON does. */
const decimalText = (text: string): string => (/^-?\d/.test(text) ? text : 'null')
