import { Decimal, type Json } from '../contract/record.ts'
import { remember } from './remember.ts'

/**
 * An amount of money as a body gives it, in the unit that it gives: `2`, `2.5`, `"2.50"`, `"2,00 €"`, `"$1,234.56"`,
 * `"1.234,56 EUR"`; null when it is none. A point or comma before three digits groups them, unless a number in plain notation
 * (`"1.234"`, `"0,250"`) is meant.
 */
export function amountOf(value: Json): number | null {
  if (typeof value === 'number') return value
  if (value instanceof Decimal) return Number(value.text)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string' || value.length > LONGEST) return null
  const [, before = '', sign = '', digits = '', after = ''] = AMOUNT.exec(value) ?? []
  if (before !== '' && after !== '') return null
  const plain = plainNumber(digits.replace(/[\s']/g, ''))
  return plain === null ? null : Number(sign + plain)
}

/** The currency (ISO 4217) that the text of an amount names; null when it names none, or one of several (`$`). */
export function currencyIn(value: Json): string | null {
  if (typeof value !== 'string' || value.length > LONGEST) return null
  const [, before = '', , , after = ''] = AMOUNT.exec(value) ?? []
  return currencyOf(before || after)
}

/** A currency's code in upper case, or what a symbol of one currency alone stands for. */
export function currencyOf(value: Json): string | null {
  return typeof value === 'string' ? codeOf(value) : null
}

const codeOf = remember((name) => {
  const text = name.trim()
  return /^[a-z]{3}$/i.test(text) ? text.toUpperCase() : (SYMBOLS.get(text) ?? null)
})

const LONGEST = 40
const SYMBOLS: ReadonlyMap<string, string> = new Map([
  ['€', 'EUR'],
  ['£', 'GBP'],
  ['US$', 'USD'],
  ['C$', 'CAD'],
  ['CA$', 'CAD'],
])

const UNIT = '[a-z]{3}|[a-z]{0,2}\\p{Sc}'
const AMOUNT = new RegExp(`^\\s*(${UNIT})?\\s*([-+]?)\\s*(\\d[\\d.,'\\s]*?)\\s*(${UNIT})?\\s*$`, 'iu')

const PLAIN = /^\d+(?:\.\d+)?$/
const WITH_COMMA = /^(?:\d{1,3}(?:\.\d{3})+|\d+),\d+$/
const GROUPED = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/
const GROUPED_BY_POINTS = /^[1-9]\d{0,2}(?:\.\d{3}){2,}$/

/** Digits in the notation of JavaScript; null when it is no number. */
function plainNumber(digits: string): string | null {
  if (PLAIN.test(digits)) return digits
  if (GROUPED.test(digits)) return digits.replaceAll(',', '')
  if (WITH_COMMA.test(digits)) return digits.replaceAll('.', '').replace(',', '.')
  return GROUPED_BY_POINTS.test(digits) ? digits.replaceAll('.', '') : null
}
