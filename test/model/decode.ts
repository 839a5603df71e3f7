import { isUtf8 } from 'node:buffer'
import { readAvro } from './avro.ts'
import type { SchemaSource, Value } from './input.ts'

/** A value, or the reason for a dead letter. */
export type Decoded = { value: Value } | { reason: string }

class Faulty extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

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
      text: (text, json) => (json ? parse(text) : text),
    }) as Record<string, Value>
    // Null is how Avro says that no http_status was given.
    if (value.http_status === null) delete value.http_status
    return value
  } catch (error) {
    if (error instanceof Faulty && error.reason === 'number_out_of_range') throw error
    throw new Faulty('undecodable')
  }
}

function decodeText(bytes: Buffer): Value {
  if (!isUtf8(bytes)) throw new Faulty('invalid_utf8')
  return parse(bytes.toString('utf8'))
}

const INTEGER = /^-?\d+$/

/** JSON in which integers beyond 2^53 keep their value, as bigint, up to 64 bits. */
function parse(text: string): Value {
  const exact = (_key: string, value: Value, context?: { source?: string }): Value => {
    const source = context?.source
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value
    if (!INTEGER.test(source)) return value
    const integer = BigInt(source)
    if (BigInt.asIntN(64, integer) !== integer) throw new Faulty('number_out_of_range')
    return integer
  }
  try {
    // Only long numbers need care, and few records have any.
    const reviver = /\d{16}/.test(text) ? (exact as (key: string, value: unknown) => unknown) : undefined
    return JSON.parse(text, reviver) as Value
  } catch (error) {
    if (error instanceof Faulty) throw error
    throw new Faulty('invalid_json')
  }
}
