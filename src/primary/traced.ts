import type { Tracing } from '../operate/tracing.ts'
import { TABLE } from './columns.ts'
import type { Primary } from './primary.ts'

/** The same primary, each question to it a span, by OpenTelemetry's conventions for MySQL. */
export function traced(primary: Primary, tracing: Tracing): Primary {
  const attributes = { 'db.system.name': 'mysql', 'db.operation.name': 'SELECT', 'db.collection.name': TABLE }
  return {
    get state() {
      return primary.state
    },
    rows: (id) => tracing.part({ name: `SELECT ${TABLE}`, kind: 'client', attributes }, () => primary.rows(id)),
    [Symbol.asyncDispose]: () => primary[Symbol.asyncDispose](),
  }
}
