/**
 * ISO 8601 times of the form that `toISOString` gives for years 0 to 9999, a few times faster than `Date`: most times
 * of a run fall on few days, so the days are remembered and only the time of day is computed.
 */
const DAY_MS = 86_400_000
/** Epoch milliseconds of the last time that a Date holds; the first one is as far before 1970. */
export const LAST_MS = 8.64e15
const MOST_DAYS = 1_000

const dates = new Map<number, string>()
const days = new Map<string, number>()

/** The text is put together here, since pieces of text that are joined cost an object each. */
const scratch = Buffer.from('0000-00-00T00:00:00.000Z')
const LENGTH = scratch.length
let dayInScratch = Number.NaN

/** Epoch milliseconds (whole) as `toISOString` has it. Throws RangeError beyond what a Date holds. */
export const isoOf = (ms: number): string => (toScratch(ms) ? scratch.toString('latin1') : new Date(ms).toISOString())

/** Writes its bytes, and returns where they end. */
export function putIso(ms: number, to: Uint8Array, at: number): number {
  if (!toScratch(ms)) return at + Buffer.from(to.buffer, to.byteOffset).write(new Date(ms).toISOString(), at, 'latin1')
  for (let i = 0; i < LENGTH; i++) to[at + i] = scratch[i] as number
  return at + LENGTH
}

/** @returns false: it has another length. */
function toScratch(ms: number): boolean {
  const day = Math.floor(ms / DAY_MS)
  if (day !== dayInScratch) {
    const date = dateOf(day, ms)
    if (date.length !== 11) return false
    scratch.write(date, 0, 'latin1')
    dayInScratch = day
  }
  const rest = ms - day * DAY_MS
  const seconds = Math.floor(rest / 1_000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const millis = rest - seconds * 1_000
  putTwo(11, hours)
  putTwo(14, minutes - hours * 60)
  putTwo(17, seconds - minutes * 60)
  const hundreds = Math.floor(millis / 100)
  scratch[20] = 48 + hundreds
  putTwo(21, millis - hundreds * 100)
  return true
}

function putTwo(at: number, value: number): void {
  const tens = Math.floor(value / 10)
  scratch[at] = 48 + tens
  scratch[at + 1] = 48 + value - tens * 10
}

/** `2026-06-01T`; of another length outside the years 0 to 9999. */
function dateOf(day: number, ms: number): string {
  let date = dates.get(day)
  if (date === undefined) {
    date = new Date(ms).toISOString().slice(0, -13)
    if (dates.size >= MOST_DAYS) dates.clear()
    dates.set(day, date)
  }
  return date
}

/** Epoch milliseconds of a text, or NaN where `toISOString` would not give just this text back (or has no 24 characters). */
export function msOf(iso: string): number {
  if (iso.length !== 24 || iso[13] !== ':' || iso[16] !== ':' || iso[19] !== '.' || iso[23] !== 'Z') return Number.NaN
  const hours = digits(iso, 11, 2)
  const minutes = digits(iso, 14, 2)
  const seconds = digits(iso, 17, 2)
  if (hours > 23 || minutes > 59 || seconds > 59) return Number.NaN
  return dayOf(iso.slice(0, 11)) + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + digits(iso, 20, 3)
}

/** Epoch milliseconds at which a day (`2026-06-01T`) begins; NaN when there is no such day. */
function dayOf(date: string): number {
  let ms = days.get(date)
  if (ms === undefined) {
    const midnight = new Date(`${date}00:00:00.000Z`)
    const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
    ms = exists ? midnight.getTime() : Number.NaN
    if (days.size >= MOST_DAYS) days.clear()
    days.set(date, ms)
  }
  return ms
}

function digits(text: string, from: number, count: number): number {
  let value = 0
  for (let i = from; i < from + count; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
