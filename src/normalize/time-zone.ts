import type { JsonObject } from '../contract/record.ts'
import { createRole } from './field-roles.ts'
import { remember } from './remember.ts'

/** Reads a wall clock: epoch milliseconds as if it showed UTC → epoch milliseconds. */
export type Clock = (shown: number) => number

export const UTC: Clock = (shown) => shown
/** What it shows is no time. */
export const NO_CLOCK: Clock = () => Number.NaN

/** Names of a field that names a zone, best first. */
const ZONE_NAME = createRole(['timezoneid', 'timezone', 'timezonename', 'ianatimezone', 'timezonestandardname', 'tz'])

/** The clock of the zone that an object names, by its IANA or Windows name; null when it names none that is known. */
export function clockNamedIn(body: JsonObject): Clock | null {
  return ZONE_NAME.find(body, (value) => (typeof value === 'string' ? clockOf(value) : null))
}

/** Windows names that ParkMobile's markets use. Source: Unicode CLDR, windowsZones. */
const IANA_OF_WINDOWS: ReadonlyMap<string, string> = new Map([
  ['eastern standard time', 'America/New_York'],
  ['us eastern standard time', 'America/Indiana/Indianapolis'],
  ['central standard time', 'America/Chicago'],
  ['canada central standard time', 'America/Regina'],
  ['mountain standard time', 'America/Denver'],
  ['us mountain standard time', 'America/Phoenix'],
  ['pacific standard time', 'America/Los_Angeles'],
  ['alaskan standard time', 'America/Anchorage'],
  ['hawaiian standard time', 'Pacific/Honolulu'],
  ['atlantic standard time', 'America/Halifax'],
  ['newfoundland standard time', 'America/St_Johns'],
  ['sa western standard time', 'America/La_Paz'],
  ['gmt standard time', 'Europe/London'],
  ['w. europe standard time', 'Europe/Berlin'],
  ['romance standard time', 'Europe/Paris'],
  ['central europe standard time', 'Europe/Budapest'],
  ['central european standard time', 'Europe/Warsaw'],
  ['greenwich standard time', 'Atlantic/Reykjavik'],
])

/** Abbreviations as the markets mean them: the runtime knows some of them, and takes BST for Bangladesh. */
const IANA_OF_SHORT: ReadonlyMap<string, string> = new Map([
  ...['est', 'edt', 'et'].map((name) => [name, 'America/New_York'] as const),
  ...['cst', 'cdt', 'ct'].map((name) => [name, 'America/Chicago'] as const),
  ...['mst', 'mdt', 'mt'].map((name) => [name, 'America/Denver'] as const),
  ...['pst', 'pdt', 'pt'].map((name) => [name, 'America/Los_Angeles'] as const),
  ...['cet', 'cest'].map((name) => [name, 'Europe/Berlin'] as const),
  ...['utc', 'gmt'].map((name) => [name, 'UTC'] as const),
  ['bst', 'Europe/London'],
])

/** The clock of a zone; null for a name that is not known. */
export const clockOf = (name: string): Clock | null => knownClock(name.trim().toLowerCase())

/** Names with a letter only: there are a few hundred of them, whatever comes. */
const knownClock = remember((name): Clock | null => {
  const known = IANA_OF_WINDOWS.get(name.replace(' daylight time', ' standard time')) ?? IANA_OF_SHORT.get(name)
  const zone = known ?? name
  if (known === undefined && !/^[a-z_]+\//.test(zone)) return null
  try {
    return clockBy(new Intl.DateTimeFormat('en-US', { timeZone: zone, ...FIELDS }))
  } catch {
    return null
  }
})

const FIELDS = {
  ...({ calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' } as const),
  ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
  ...({ hour: 'numeric', minute: 'numeric', second: 'numeric' } as const),
} as const

const DAY = 86_400_000

/** Of the hour that a clock shows twice it takes the first; a time that the clock leaves out counts as an hour later. */
function clockBy(format: Intl.DateTimeFormat): Clock {
  const ahead = (time: number) => shownAt(format, time) - Math.floor(time / 1000) * 1000
  return (shown) => {
    const [before, after] = [ahead(shown - DAY), ahead(shown + DAY)]
    const isIt = before === after || ahead(shown - before) === before || ahead(shown - after) !== after
    return shown - (isIt ? before : after)
  }
}

function shownAt(format: Intl.DateTimeFormat, time: number): number {
  const fields = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
  const of = (type: Intl.DateTimeFormatPartTypes) => fields.get(type) ?? Number.NaN
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
}
