/** A time as sources write it, as epoch milliseconds; null when it is none. Without a zone it is UTC. */
export function timeOf(value: unknown): number | null {
  if (typeof value === 'number') return epoch(value)
  if (typeof value !== 'string') return null
  if (/^\d{9,16}$/.test(value)) return epoch(Number(value))
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(value)
  if (parts === null) return null
  const [, seconds, fraction = '', zone = 'Z'] = parts
  const at = Date.parse(`${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`)
  return Number.isNaN(at) ? null : at - offsetOf(zone)
}

/** Small numbers are seconds: as milliseconds they would lie before 1974. */
const epoch = (number: number) => (number <= 0 ? null : Math.floor(number < 1e11 ? number * 1000 : number))

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0
  const digits = zone.replace(/\D/g, '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

/** ISO 8601, UTC, three fraction digits. */
export const isoOf = (at: number) => new Date(at).toISOString()
