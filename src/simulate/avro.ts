import { readFile } from 'node:fs/promises'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { RecordType } from '../contract/record.ts'
import type { Settings } from '../settings.ts'
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
export async function openAvro(settings: Settings): Promise<AvroEncoder> {
  const { registry, topics } = settings
  if (!registry) throw new Error('Avro needs a schema registry: set SCHEMA_REGISTRY_URL, or use --encoding json.')
  const { url: host, username, password } = registry
  const auth = username === null ? undefined : { username, password: password ?? '' }
  const client = new SchemaRegistry({ host, ...(auth && { auth }) })
  const encoders = {
    event: await openSchema(client, 'event', topics.events[0] ?? ''),
    response: await openSchema(client, 'response', topics.responses[0] ?? ''),
  }
  return (type, body) => encoders[type](body)
}

async function openSchema(client: SchemaRegistry, type: RecordType, topic: string): Promise<(body: Body) => Buffer> {
  const schema = await readFile(new URL(`../../schemas/${type}.avsc`, import.meta.url), 'utf8')
  const { id } = await client.register({ type: SchemaType.AVRO, schema }, { subject: `${topic}-value` })
  const avro = await client.getSchema(id)
  const prefix = Buffer.alloc(5)
  prefix.writeInt32BE(id, 1)
  const fields = (JSON.parse(schema) as { fields: Field[] }).fields
  return (body) => Buffer.concat([prefix, avro.toBuffer(flatten(body, fields))])
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
