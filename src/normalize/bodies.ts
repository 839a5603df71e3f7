import type { Json, JsonObject } from '../contract/record.ts'
import { isObject } from './put.ts'
import { plainName } from './sensitive-fields.ts'

/**
 * The objects of a record that may say something about its session, the nearest first: `session_data`, the `response`
 * body, the record itself, and then what is wrapped one level deep in the first two, such as
 * `{ "application/json": { … } }` or a list of one.
 */
export function bodiesOf(record: JsonObject): JsonObject[] {
  const { session_data, response } = record
  const bodies: JsonObject[] = []
  if (isObject(session_data)) bodies.push(session_data)
  if (isObject(response)) bodies.push(response)
  bodies.push(record)
  addWrapped(session_data, bodies)
  addWrapped(response, bodies)
  return bodies
}

/** Keys under which an API puts the body itself; the only key of an object is a wrapping whatever its name. */
const WRAPPINGS = new Set(['applicationjson', 'data', 'result', 'session', 'parking', 'parkingsession', 'parkingright'])

function addWrapped(value: Json | undefined, bodies: JsonObject[]): void {
  if (Array.isArray(value)) {
    if (value.length === 1 && isObject(value[0])) bodies.push(value[0])
  } else if (isObject(value)) {
    let fields = 0
    let last: JsonObject | undefined
    for (const key in value) {
      fields++
      const inner = value[key]
      last = isObject(inner) ? inner : undefined
      if (last !== undefined && WRAPPINGS.has(plainName(key))) bodies.push(last)
    }
    if (fields === 1 && last !== undefined && bodies.at(-1) !== last) bodies.push(last)
  }
}
