import { createHmac } from 'node:crypto'
import { type Fields, isFields, type Value } from './input.ts'

/** What may be kept of a record: no card number, no security code, no expiry, no track, no PIN. */
export function withoutCardData(value: Value, tokenKey: string | null): Value {
  if (typeof value === 'string') return textWithoutCards(value, tokenKey)
  if (typeof value === 'number' || typeof value === 'bigint') {
    const digits = String(value)
    return isCard(digits) ? substitute(digits, tokenKey) : value
  }
  if (Array.isArray(value)) return value.map((item) => withoutCardData(item, tokenKey))
  if (!isFields(value)) return value
  const kept: Fields = {}
  for (const [name, field] of Object.entries(value)) {
    if (!FORBIDDEN.has(name.toLowerCase().replace(/[_-]/g, ''))) kept[name] = withoutCardData(field, tokenKey)
  }
  return kept
}

const FORBIDDEN = new Set([
  ...['cvv', 'cvv2', 'cvc', 'cvc2', 'cid', 'securitycode', 'cardsecuritycode'],
  ...['ccnumber', 'expirymonth', 'expiryyear', 'expmonth', 'expyear', 'cardexpiry', 'ccexpiry'],
  ...['track1', 'track2', 'trackdata', 'pin', 'pinblock'],
])

/** 13 to 19 digits, with or without single separators, that are not part of a word. */
const DIGITS = /(?<![\p{L}\p{N}])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}]|[ -]?\d)/gu
/** Times and decimal numbers have many digits too; so have UUIDs. */
const TIME = /^\d{4}-\d\d-\d\dT/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function textWithoutCards(text: string, tokenKey: string | null): string {
  if (text.length < 13 || TIME.test(text) || UUID.test(text)) return text
  return text.replace(DIGITS, (run) => {
    const digits = run.replace(/[ -]/g, '')
    return isCard(digits) ? substitute(digits, tokenKey) : run
  })
}

function substitute(digits: string, tokenKey: string | null): string {
  if (tokenKey === null) return digits.slice(0, 6) + '*'.repeat(digits.length - 10) + digits.slice(-4)
  return `tok_${createHmac('sha256', tokenKey).update(digits).digest('hex').slice(0, 32)}`
}

/** Prefixes of the networks, and the lengths that they issue. */
const NETWORKS: [RegExp, number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^5[1-5]/, [16]],
  [/^2(22[1-9]|2[3-9]|[3-6]|7[01]|720)/, [16]],
  [/^3[47]/, [15]],
  [/^(6011|64[4-9]|65)/, [16, 17, 18, 19]],
  [/^(30[0-5]|3095|36|38|39)/, [14, 16, 17, 18, 19]],
  [/^35(2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^(62|8[12])/, [16, 17, 18, 19]],
  [/^60/, [16]],
  [/^(50|5[678]|6304|6759|676[1-37])/, [13, 14, 15, 16, 17, 18, 19]],
  [/^63[6-9]/, [16, 19]],
  [/^220[0-4]/, [16, 17, 18, 19]],
  [/^9792/, [16]],
]

function isCard(digits: string): boolean {
  if (!/^\d{13,19}$/.test(digits)) return false
  return NETWORKS.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length)) && luhn(digits)
}

function luhn(digits: string): boolean {
  const sum = [...digits]
    .reverse()
    .map(Number)
    .reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2), 0)
  return sum % 10 === 0
}
