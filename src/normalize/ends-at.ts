import type { Json, JsonObject } from '../contract/record.ts'
import { firstOf } from './bodies.ts'
import { createRole } from './field-roles.ts'
import { readTime } from './time.ts'

/**
 * Names of the time at which a session ends, best first: stop before end before expiry, UTC before a time of unsaid zone.
 * Not among them: the latest time it could be extended to (`maxEndDate`), and local times (`stopTimeLocal`), whose zone
 * nobody tells.
 */
const ENDS_AT = createRole(
  `stoptimeutc parkingstoptimeutc stoptime parkingstoptime stopdateutc stopdate stopdatetime stopsat stoppedat
  endtimeutc parkingendtimeutc endtime parkingendtime enddateutc enddate enddatetime sessionendtime endsat endedat
  expirytimeutc expirytime expirationtimeutc expirationtime expiresat expiredat`.split(/\s+/),
)

/** When the session says it ends: ISO 8601, UTC, three fraction digits; null when it does not say. */
export function endsAtOf(bodies: readonly JsonObject[]): string | null {
  return firstOf(bodies, (body) => ENDS_AT.find(body, readIso))
}

function readIso(value: Json): string | null {
  const time = readTime(value)
  if (time === null) return null
  return typeof value === 'string' && CANONICAL.test(value) ? value : new Date(time).toISOString()
}

/** What `toISOString` would give anyway. */
const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{3}Z$/
