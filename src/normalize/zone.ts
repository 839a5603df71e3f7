import type { JsonObject } from '../contract/record.ts'
import { firstOf } from './bodies.ts'
import { createRole } from './field-roles.ts'
import { textOfId } from './identifiers.ts'

/** Names of a zone, best first. Zones come as `"67890"` and as `67890`. */
const ZONE = createRole([
  'zoneid',
  'zone',
  'zonecode',
  'zonenumber',
  'parkingzoneid',
  'parkingzone',
  'internalzonecode',
])

/** The zone as text: the record's own `zone_id`, or else what a body says. */
export function zoneIdOf(record: JsonObject, bodies: readonly JsonObject[]): string | null {
  return textOfId(record.zone_id) ?? firstOf(bodies, (body) => ZONE.find(body, textOfId))
}
