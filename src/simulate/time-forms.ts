import type { Random } from './random.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** ISO 8601, UTC. */
export const iso = (at: number) => new Date(at).toISOString()
/** Without a fraction and without a zone letter, as ParkMobile writes `startTimeUtc`. */
export const bare = (at: number) => iso(at).slice(0, 19)

/** The ways in which sources write one moment; the first is the usual one. */
const FORMS: readonly ((at: number, random: Random) => string | number)[] = [
  iso,
  (at) => at,
  (at) => `${bare(at)}Z`,
  bare,
  (at, random) => `${iso(at).slice(0, 23)}${random.digits(3)}Z`,
  (at, random) => `${iso(at).slice(0, 23)}${random.digits(4)}`,
  (at, random) => offset(at, random.pick([-300, -240, 60, 120, 330])),
  (at) => `${bare(at)}-0000`,
  (at) => Math.floor(at / SECOND),
  (at) => String(at),
]

/** A timestamp in one of the forms that sources use. */
export function anyForm(at: number, random: Random): string | number {
  const form = random.chance(0.6) ? iso : (FORMS[random.int(0, FORMS.length - 1)] ?? iso)
  return form(at, random)
}

function offset(at: number, minutes: number): string {
  const size = Math.abs(minutes)
  const two = (n: number) => String(n).padStart(2, '0')
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
  return iso(at + minutes * MINUTE).slice(0, 23) + zone
}

/** How busy the streets are at a time of day, 1 on average: two peaks, quiet at night. */
export function dayCurve(at: number): number {
  const hour = (at / 3_600_000) % 24
  const peak = (middle: number, width: number) => Math.exp(-(((hour - middle) / width) ** 2))
  return (0.15 + 2.3 * peak(9, 2.4) + 1.6 * peak(13.5, 2.6) + 1.75 * peak(18, 2.4)) / 1.175
}
