import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import { ROOT } from '../local/build.ts'
import type { Encode } from './kafka.ts'

interface Field {
  name: string
  /** The field is a string that holds JSON. */
  json?: boolean
}

/** Registers our schema of events for a topic and encodes by it, in the Confluent wire format. */
export async function eventEncoder(registry: string, topic: string): Promise<Encode> {
  const schema = await readFile(join(ROOT, 'schemas', 'event.avsc'), 'utf8')
  const response = await fetch(`${registry}/subjects/${topic}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  })
  if (!response.ok) throw new Error(`The registry refused schemas/event.avsc: ${await response.text()}`)
  const { id } = (await response.json()) as { id: number }
  const prefix = Buffer.alloc(5)
  prefix.writeInt32BE(id, 1)
  const parsed = JSON.parse(schema) as avro.Schema & { fields: Field[] }
  const type = avro.Type.forSchema(parsed)
  return (value) => Buffer.concat([prefix, type.toBuffer(flat(value as Record<string, unknown>, parsed.fields))])
}

function flat(value: Record<string, unknown>, fields: Field[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, json }) => {
      const own = value[name] ?? null
      return [name, json && own !== null ? JSON.stringify(own) : own]
    }),
  )
}
