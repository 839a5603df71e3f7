import { isUtf8 } from 'node:buffer'
import { readAvro } from './avro.ts'
import { Faulty } from './faulty.ts'
import type { SchemaSource, Value } from './input.ts'
import { parseText } from './json.ts'

/** A value, or the reason for a dead letter. */
export type Decoded = { value: Value } | { reason: string }

/** The first byte tells the encoding: 0 is the Confluent wire format, everything else JSON. */
export async function decode(bytes: Buffer, schemas: SchemaSource | null): Promise<Decoded> {
  try {
    if (bytes.length === 0) return { reason: 'empty_value' }
    return { value: bytes[0] === 0 ? await decodeFramed(bytes, schemas) : decodeText(bytes) }
  } catch (error) {
    if (error instanceof Faulty) return { reason: error.reason }
    throw error
  }
}

async function decodeFramed(bytes: Buffer, schemas: SchemaSource | null): Promise<Value> {
  if (schemas === null) throw new Faulty('no_registry')
  if (bytes.length < 5) throw new Faulty('undecodable')
  const schema = await schemas(bytes.readInt32BE(1))
  if (schema === undefined) throw new Faulty('unknown_schema')
  try {
    const value = readAvro(schema, bytes.subarray(5), {
      text: (text, json) => (json ? parseText(text) : text),
    }) as Record<string, Value>
    // Null is how Avro says that no http_status was given.
    if (value.http_status === null) delete value.http_status
    return value
  } catch (error) {
    if (error instanceof Faulty && error.reason !== 'invalid_json') throw error
    throw new Faulty('undecodable')
  }
}

function decodeText(bytes: Buffer): Value {
  if (!isUtf8(bytes)) throw new Faulty('invalid_utf8')
  return parseText(bytes.toString('utf8').replace(/^\ufeff/, ''))
}
