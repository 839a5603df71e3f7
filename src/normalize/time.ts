import { Decimal, type Json } from '../contract/record.ts'
import { type Clock, UTC } from './time-zone.ts'

/**
 * Reads a time as the sources write it, into epoch milliseconds; null when it cannot be read. Understood:
 *
 * - ISO 8601: `2023-06-01`, `2023-06-01T15:36`, `2023-06-01T15:36:15`, a blank or `t` for `T`, a fraction of 1–9 digits
 *   (cut to milliseconds), `Z`, `+02:00`, `+0200`, `+02`, `-0000`;
 * - the American way: `06/01/2023`, `06/01/2023 15:36:15`, `6/1/2023 3:36 PM`;
 * - epoch seconds or milliseconds, as number or as text: below 10^11 (the year 5138 in seconds, 1973 in milliseconds)
 *   it is seconds.
 *
 * Null too for what no clock means: zero or negative, or after the year 9999.
 *
 * @param clock reads a time that has no zone.
 */
export function readTime(value: Json | undefined, clock: Clock = UTC): number | null {
  if (typeof value === 'string') {
    if (value.length > LONGEST) return null
    if (value.length >= 10 && value.charCodeAt(4) === DASH) return usable(iso(value, clock))
    return usable(value.includes('/') ? american(value, clock) : epochText(value))
  }
  if (typeof value === 'number') return usable(epoch(value))
  if (typeof value === 'bigint') return usable(epoch(Number(value)))
  if (value instanceof Decimal) return usable(epoch(Number(value.text)))
  return null
}

const LONGEST = 64
const SECONDS_BELOW = 1e11
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const DASH = 45
const COLON = 58
const BLANK = 32
const MINUTE = 60_000

const usable = (time: number | null) => (time !== null && time > 0 && time <= LAST ? time : null)

const epoch = (value: number) => Math.floor(value < SECONDS_BELOW ? value * 1000 : value)

function epochText(text: string): number | null {
  return /^\s*[0-9]{1,16}(?:\.[0-9]{1,9})?\s*$/.test(text) ? epoch(Number(text)) : null
}

const AMERICAN =
  /^\s*(\d{1,2})\/(\d{1,2})\/(\d{4})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?: ?([AP])\.?M\.?)?)?\s*$/i

function american(text: string, clock: Clock): number | null {
  const parts = AMERICAN.exec(text)
  if (parts === null) return null
  const [month, day, year, given, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as Six
  const half = parts[8]?.toUpperCase()
  if (half !== undefined && (given < 1 || given > 12)) return null
  const hour = half === undefined ? given : (given % 12) + (half === 'P' ? 12 : 0)
  if (year < 100 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null
  if (hour > 23 || minute > 59 || second > 60) return null
  const milliseconds = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'))
  return clock(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds))
}

type Six = [number, number, number, number, number, number]

/** By character codes, not by expression: every record passes here. */
function iso(text: string, clock: Clock): number | null {
  const day = dayOf(text)
  if (day === null) return null
  if (text.length === 10) return clock(day)
  const divider = text.charCodeAt(10) | BLANK
  if (divider !== 116 && divider !== BLANK) return null
  const hour = twoDigits(text, 11)
  const minute = text.charCodeAt(13) === COLON ? twoDigits(text, 14) : -1
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return null
  return withSeconds(text, day + hour * 60 * MINUTE + minute * MINUTE, clock)
}

function withSeconds(text: string, minutes: number, clock: Clock): number | null {
  if (text.charCodeAt(16) !== COLON) return withZone(text, 16, minutes, clock)
  const second = twoDigits(text, 17)
  if (second < 0 || second > 60) return null
  let end = 19
  let milliseconds = 0
  const mark = text.charCodeAt(19)
  if (mark === 46 || mark === 44) {
    end = 20
    while (end < text.length && isDigit(text.charCodeAt(end))) end++
    if (end === 20 || end > 29) return null
    milliseconds = thousandths(text, 20, end)
  }
  return withZone(text, end, minutes + second * 1000 + milliseconds, clock)
}

/** The first three digits of a fraction of a second that stands from `at` to `end`. */
function thousandths(text: string, at: number, end: number): number {
  let value = 0
  for (let i = at; i < at + 3; i++) value = value * 10 + (i < end ? text.charCodeAt(i) - 48 : 0)
  return value
}

/** What stands from `at` on is nothing, `Z` or an offset. */
function withZone(text: string, at: number, local: number, clock: Clock): number | null {
  const start = text.charCodeAt(at) === BLANK ? at + 1 : at
  const rest = text.length - start
  if (rest === 0) return start === at ? clock(local) : null
  const sign = text.charCodeAt(start)
  if ((sign | BLANK) === 122) return rest === 1 ? local : null
  if (sign !== 43 && sign !== DASH) return null
  const hours = twoDigits(text, start + 1)
  const minutes = rest === 3 ? 0 : rest === 5 ? twoDigits(text, start + 3) : rest === 6 ? colonMinutes(text, start) : -1
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return null
  const offset = (hours * 60 + minutes) * MINUTE
  return sign === DASH ? local + offset : local - offset
}

const colonMinutes = (text: string, start: number) =>
  text.charCodeAt(start + 3) === COLON ? twoDigits(text, start + 4) : -1

/** Records that come together tell of the same few days. */
let last = { date: ' ', day: 0 }

/** Start of the day that the first ten characters name, as epoch milliseconds. */
function dayOf(text: string): number | null {
  if (text.startsWith(last.date)) return last.day
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  // Date.UTC takes the years 0–99 for 1900–1999.
  if (year < 100 || text.charCodeAt(7) !== DASH || month < 1 || month > 12 || day < 1 || day > daysOf(year, month))
    return null
  last = { date: text.slice(0, 10), day: Date.UTC(year, month - 1, day) }
  return last.day
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** The number in two digits at `at`; far below zero when they are not both digits. */
function twoDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48]
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NO_DIGITS
}

const NO_DIGITS = -1e6

const isDigit = (code: number) => code >= 48 && code <= 57
