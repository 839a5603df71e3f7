import type { Json, JsonObject } from '../contract/record.ts'
import { firstOf } from './bodies.ts'
import { createRole } from './field-roles.ts'
import { readTime } from './time.ts'
import { type Clock, clockNamedIn, UTC } from './time-zone.ts'

/**
 * Names of the time at which a session ends, best first: stop before end before expiry, UTC before a time of unsaid zone.
 * Not among them: the latest time it could be extended to (`maxEndDate`).
 */
const ENDS_AT = createRole(
  `stoptimeutc parkingstoptimeutc stoptime parkingstoptime stopdateutc stopdate stopdatetime stopsat stoppedat
  endtimeutc parkingendtimeutc endtime parkingendtime enddateutc enddate enddatetime sessionendtime endsat endedat
  expirytimeutc expirytime expirationtimeutc expirationtime expiresat expiredat
  stoptimelocal parkingstoptimelocal stopdatelocal endtimelocal parkingendtimelocal enddatelocal`.split(/\s+/),
)

/**
 * When the session says it ends: ISO 8601, UTC, three fraction digits; null when it does not say.
 *
 * A time without a zone is UTC where its name says so (`stopTimeUtc`); else it is of the zone that its body names, or the record,
 * or else `zone`, or else UTC; but a local time (`stopTimeLocal`) of a zone that nobody tells is no time.
 */
export function endsAtOf(record: JsonObject, bodies: readonly JsonObject[], zone: Clock | null): string | null {
  return firstOf(bodies, (body) =>
    ENDS_AT.find(body, (value, key) => {
      if (UTC_NAME.test(key)) return readIso(value, UTC)
      const clock = () => clockNamedIn(body) ?? clockNamedIn(record) ?? zone
      const unknown = LOCAL_NAME.test(key) ? NO_TIME : UTC
      return readIso(value, (shown) => (clock() ?? unknown)(shown))
    }),
  )
}

const UTC_NAME = /utc$/i
const LOCAL_NAME = /local$/i
const NO_TIME: Clock = () => Number.NaN

function readIso(value: Json, clock: Clock): string | null {
  const time = readTime(value, clock)
  if (time === null) return null
  return typeof value === 'string' && CANONICAL.test(value) ? value : new Date(time).toISOString()
}

/** What `toISOString` would give anyway. */
const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{3}Z$/
