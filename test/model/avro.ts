/** A small Avro reader: binary encoding, of the writer's schema. Source: the Avro 1.11 specification. */

type Schema = string | Schema[] | { [attribute: string]: unknown }

export interface AvroReading {
  /** What a string becomes; `json` says that its field has the property `"json": true`. */
  text(value: string, json: boolean): unknown
}

/** Reads one datum, which must fill the bytes exactly. Throws Error when it does not, or the schema is beyond this reader. */
export function readAvro(schema: unknown, bytes: Buffer, reading: AvroReading): unknown {
  const cursor = { bytes, at: 0 }
  const value = read(schema as Schema, cursor, reading, new Map(), false)
  if (cursor.at !== bytes.length) throw new Error('bytes are left over')
  return value
}

interface Cursor {
  bytes: Buffer
  at: number
}

type Named = Map<string, Schema>

function read(schema: Schema, cursor: Cursor, reading: AvroReading, named: Named, json: boolean): unknown {
  if (Array.isArray(schema)) {
    const branch = schema[Number(readLong(cursor))]
    if (branch === undefined) throw new Error('no such branch of the union')
    return read(branch, cursor, reading, named, json)
  }
  if (typeof schema === 'string') return readPlain(schema, cursor, reading, named, json)
  switch (schema.type) {
    case 'record':
      return readRecord(schema, cursor, reading, named)
    case 'map':
      return readMap(schema.values as Schema, cursor, reading, named)
    case 'array':
      return readArray(schema.items as Schema, cursor, reading, named)
    case 'enum':
      return (schema.symbols as string[])[Number(readLong(cursor))]
    default:
      return read(schema.type as Schema, cursor, reading, named, json || schema.json === true)
  }
}

function readPlain(type: string, cursor: Cursor, reading: AvroReading, named: Named, json: boolean): unknown {
  switch (type) {
    case 'null':
      return null
    case 'boolean':
      return take(cursor, 1)[0] === 1
    case 'int':
    case 'long':
      return plainInteger(readLong(cursor))
    case 'float':
      return take(cursor, 4).readFloatLE()
    case 'double':
      return take(cursor, 8).readDoubleLE()
    case 'string':
      return reading.text(take(cursor, Number(readLong(cursor))).toString('utf8'), json)
    default: {
      const known = named.get(type)
      if (known === undefined) throw new Error(`the model does not read Avro's ${type}`)
      return read(known, cursor, reading, named, json)
    }
  }
}

function readRecord(schema: { [attribute: string]: unknown }, cursor: Cursor, reading: AvroReading, named: Named) {
  named.set(schema.name as string, schema)
  const record: { [field: string]: unknown } = {}
  for (const field of schema.fields as { name: string; type: Schema; json?: boolean }[]) {
    record[field.name] = read(field.type, cursor, reading, named, field.json === true)
  }
  return record
}

function readMap(values: Schema, cursor: Cursor, reading: AvroReading, named: Named): unknown {
  const map: { [key: string]: unknown } = {}
  for (let left = readBlock(cursor); left > 0; left = readBlock(cursor)) {
    for (let i = 0; i < left; i++) {
      const key = take(cursor, Number(readLong(cursor))).toString('utf8')
      map[key] = read(values, cursor, reading, named, false)
    }
  }
  return map
}

function readArray(items: Schema, cursor: Cursor, reading: AvroReading, named: Named): unknown {
  const array: unknown[] = []
  for (let left = readBlock(cursor); left > 0; left = readBlock(cursor)) {
    for (let i = 0; i < left; i++) array.push(read(items, cursor, reading, named, false))
  }
  return array
}

/** How many items follow; a negative count is followed by the size of the block. */
function readBlock(cursor: Cursor): number {
  const count = Number(readLong(cursor))
  if (count < 0) readLong(cursor)
  return Math.abs(count)
}

/** Zig-zag, seven bits a byte, the lowest first. */
function readLong(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = take(cursor, 1)[0] as number
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return (value >> 1n) ^ -(value & 1n)
  }
  throw new Error('an integer is longer than 64 bits')
}

const plainInteger = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

function take(cursor: Cursor, count: number): Buffer {
  const end = cursor.at + count
  if (count < 0 || end > cursor.bytes.length) throw new Error('the bytes end too early')
  const part = cursor.bytes.subarray(cursor.at, end)
  cursor.at = end
  return part
}
