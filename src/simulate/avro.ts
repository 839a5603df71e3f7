import type { RecordType } from '../contract/record.ts'
import type { Settings } from '../settings.ts'
import { registerSchema } from '../stream/register-schema.ts'
import { toJson } from './json.ts'
import type { AvroEncoder, Body } from './traffic-record.ts'

interface Field {
  name: string
  /** The field is a string that holds JSON. */
  json?: boolean
}

/**
 * Registers the schemas of events and responses under `<topic>-value` and encodes by them. Fields that a schema does not
 * have are left out.
 * @throws when the registry is away, or holds an incompatible schema under the subject.
 */
export async function openAvro(
  registry: NonNullable<Settings['registry']>,
  topics: Settings['topics'],
): Promise<AvroEncoder> {
  const encoders = {
    event: await openSchema(registry, 'event', topics.events[0] ?? ''),
    response: await openSchema(registry, 'response', topics.responses[0] ?? ''),
  }
  return (type, body) => encoders[type](body)
}

async function openSchema(
  registry: NonNullable<Settings['registry']>,
  type: RecordType,
  topic: string,
): Promise<(body: Body) => Buffer> {
  const { text, encode } = await registerSchema(registry, type, topic)
  const { fields } = JSON.parse(text) as { fields: Field[] }
  return (body) => encode(flatten(body, fields))
}

/** The body as its schema has it: every field there, JSON fields as text. */
function flatten(body: Body, fields: Field[]): Body {
  const flat: Body = {}
  for (const { name, json } of fields) {
    const value = body[name] ?? null
    flat[name] = json && value !== null ? toJson(value) : value
  }
  return flat
}
