/** How numbers and times are written. Words are English, times are the reader's own, by the 24-hour clock. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** `1,284` */
export const count = (n: number): string => whole.format(n)

/** `0.4`, `12.5`, `1,284`: of something a second. */
export const rate = (n: number): string => (n < 100 ? tenths : whole).format(n)

/** `97.3%`. Rounded down, so that 100% means all. */
export function percent(part: number): string {
  return `${tenths.format(Math.floor(part * 1_000) / 10)}%`
}

/** `12.4 MiB` */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = n
  let unit = 0
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024
    unit++
  }
  return `${threeDigits.format(value)} ${units[unit]}`
}

/** How long something took, given in seconds: `0.42 ms`, `1.2 s`. */
export function latency(seconds: number): string {
  return seconds < 1 ? `${threeDigits.format(seconds * 1_000)} ms` : `${threeDigits.format(seconds)} s`
}

const STEPS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** `12 s`, `3 min`, `2 h`, `5 d`: the largest unit alone, rounded down. */
export function span(ms: number): string {
  const size = Math.abs(ms)
  for (const [step, unit] of STEPS) if (size >= step) return `${count(Math.floor(size / step))} ${unit}`
  return '0 s'
}

/** `3 min ago`, `in 3 min`, `now`. */
export function age(at: number, now: number): string {
  const ms = now - at
  if (Math.abs(ms) < 1_000) return 'now'
  return ms > 0 ? `${span(ms)} ago` : `in ${span(ms)}`
}

const time = (options: Intl.DateTimeFormatOptions, zone: string | undefined) =>
  new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options, ...(zone !== undefined && { timeZone: zone }) })

/** Clock times of one time zone; undefined: the reader's. */
export function createClock(zone?: string) {
  const day = time({ year: 'numeric', month: '2-digit', day: '2-digit' }, zone)
  const seconds = time({ hour: '2-digit', minute: '2-digit', second: '2-digit' }, zone)
  const minutes = time({ hour: '2-digit', minute: '2-digit' }, zone)
  const date = time({ day: 'numeric', month: 'short' }, zone)
  const longDate = time({ day: 'numeric', month: 'short', year: 'numeric' }, zone)
  return {
    /** `14:02:11`; of another day `3 Jun, 14:02`; of another year than now's `3 Jun 2025, 14:02`. */
    at(ms: number, now: number): string {
      if (day.format(ms) === day.format(now)) return seconds.format(ms)
      const sameYear = Math.abs(now - ms) < 180 * 86_400_000
      return `${(sameYear ? date : longDate).format(ms)}, ${minutes.format(ms)}`
    },
    /** `14:02` */
    minute: (ms: number): string => minutes.format(ms),
    /** `14:02:11` */
    second: (ms: number): string => seconds.format(ms),
  }
}

/** The reader's own. */
export const clock = createClock()

/** `2026-06-01 12:00:00.123 UTC`, or the text as it is where it is no time. */
export function utc(iso: string): string {
  const ms = Date.parse(iso)
  return Number.isNaN(ms) ? iso : `${new Date(ms).toISOString().slice(0, -1).replace('T', ' ')} UTC`
}

/** What has no word of its own is shown as JSON; nothing as a dash. */
export function plain(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Sentences of others, with or without their stops, as a text. */
export const sentences = (...all: (string | undefined)[]): string =>
  all.flatMap((one) => (one ? `${one.replace(/[.\s]+$/, '')}.` : [])).join(' ')

/** `1 zone`, `2 zones` */
export const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`
