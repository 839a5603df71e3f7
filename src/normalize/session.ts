import type { JsonObject } from '../contract/record.ts'
import { firstOf } from './bodies.ts'
import { createRole } from './field-roles.ts'
import { textOfId } from './identifiers.ts'

/** Names of a session's id, best first; a parking right is the session of the parking rights API. */
const SESSION_ID = createRole(['sessionid', 'parkingsessionid', 'parkingrightid', 'parkingrightsid'])

/** Session id as text (numeric ids keep their decimal text), from the first body that has one. */
export function sessionIdOf(bodies: readonly JsonObject[]): string | null {
  return firstOf(bodies, sessionIdIn)
}

export function sessionIdIn(body: JsonObject): string | null {
  return SESSION_ID.find(body, textOfId)
}
