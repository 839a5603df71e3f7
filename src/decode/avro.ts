import { isUtf8 } from 'node:buffer'
import avsc, { type Type } from 'avsc'
import type { Json } from '../contract/record.ts'
import { type Cursor, readBytes, readLength, readLong, takeByte } from './avro-cursor.ts'
import { isMeant } from './avro-logical.ts'
import { JsonTextType } from './avro-schema.ts'
import { parseJson } from './json.ts'
import { Rejected } from './rejected.ts'

/**
 * Reads Avro's binary encoding, by the types of avsc but not by its reader, for four reasons: values come out plain (no
 * classes, no `{ string: … }` around a union's value), longs keep their value, and bytes that do not fit cost no more
 * than their own length (avsc fills memory with the items of an array whose count is nonsense), and text that is no
 * UTF-8 is an error instead of replacement characters.
 *
 * Longs beyond 2^53 are bigint, bytes and fixed are base64, logical types what they mean (`avro-logical.ts`).
 *
 * @param absent a field of the outermost record that is left out where it is null: Avro cannot leave one out.
 */
export function createAvroReader(type: Type, absent?: string): (bytes: Buffer) => Json {
  const read = outermost(type, absent)
  return (bytes) => {
    const cursor = { bytes, at: 0 }
    const value = read(cursor)
    if (cursor.at !== bytes.length) throw new Error('trailing bytes')
    return value
  }
}

type Read = (cursor: Cursor) => Json

function outermost(type: Type, absent: string | undefined): Read {
  if (isRecord(type)) return recordReader(type, new Map(), absent)
  if (isUnion(type)) return unionReader(type.types.map((branch) => outermost(branch, absent)))
  return readerOf(type, new Map())
}

const isRecord = (type: Type): type is avsc.types.RecordType => avsc.Type.isType(type, 'record', 'error')
const isUnion = (type: Type): type is avsc.types.WrappedUnionType => avsc.Type.isType(type, 'union')

/** @param known the readers of the types met so far; a type may hold itself. */
function readerOf(type: Type, known: Map<Type, Read>): Read {
  const seen = known.get(type)
  if (seen !== undefined) return seen
  let read: Read | undefined
  known.set(type, (cursor) => (read as Read)(cursor))
  read = newReader(type, known)
  known.set(type, read)
  return read
}

function newReader(type: Type, known: Map<Type, Read>): Read {
  const primitive = PRIMITIVES[type.typeName]
  if (primitive !== undefined) return primitive
  if (type instanceof JsonTextType) return readJsonText
  if (isMeant(type)) {
    const { meaning } = type
    const base = readerOf(type.underlyingType, known)
    return (cursor) => meaning(base(cursor))
  }
  if (isRecord(type)) return recordReader(type, known)
  if (isUnion(type)) return unionReader(type.types.map((branch) => readerOf(branch, known)))
  if (type instanceof avsc.types.ArrayType) return arrayReader(readerOf(type.itemsType, known))
  if (type instanceof avsc.types.MapType) return mapReader(readerOf(type.valuesType, known))
  if (type instanceof avsc.types.EnumType) return enumReader(type.symbols)
  if (type instanceof avsc.types.FixedType) return (cursor) => readBytes(cursor, type.size).toString('base64')
  throw new Error(`Avro type ${type.typeName} is not known.`)
}

const PRIMITIVES: Readonly<Record<string, Read>> = {
  null: () => null,
  boolean: readBoolean,
  int: readLong,
  long: readLong,
  float: (cursor) => readBytes(cursor, 4).readFloatLE(0),
  double: (cursor) => readBytes(cursor, 8).readDoubleLE(0),
  bytes: (cursor) => readBytes(cursor, readLength(cursor)).toString('base64'),
  string: readText,
}

function readBoolean(cursor: Cursor): boolean {
  const byte = takeByte(cursor)
  if (byte > 1) throw new Error('no boolean')
  return byte === 1
}

function readText(cursor: Cursor): string {
  const length = readLength(cursor)
  const start = cursor.at
  cursor.at += length
  const text = cursor.bytes.toString('utf8', start, cursor.at)
  if (text.includes('\ufffd') && !isUtf8(cursor.bytes.subarray(start, cursor.at))) {
    throw new Rejected('undecodable', 'A string of the value is not UTF-8, as Avro wants it. Send text in UTF-8.')
  }
  return text
}

function readJsonText(cursor: Cursor): Json {
  const outcome = parseJson(readText(cursor))
  if ('reject' in outcome) {
    const reason = outcome.reject === 'invalid_json' ? 'undecodable' : outcome.reject
    throw new Rejected(reason, `In a field that the schema marks as JSON: ${outcome.message}`)
  }
  return outcome.value
}

function recordReader(type: avsc.types.RecordType, known: Map<Type, Read>, absent?: string): Read {
  const names = type.fields.map(({ name }) => name)
  const reads = type.fields.map((field) => readerOf(field.type, known))
  return (cursor) => {
    const record: { [key: string]: Json } = {}
    for (let i = 0; i < reads.length; i++) {
      const name = names[i] as string
      const value = (reads[i] as Read)(cursor)
      // Not taken away afterwards: an object that has lost a field is slow to look through.
      if (value !== null || name !== absent) put(record, name, value)
    }
    return record
  }
}

function unionReader(branches: readonly Read[]): Read {
  return (cursor) => {
    const read = branches[Number(readLong(cursor))]
    if (read === undefined) throw new Error('no such branch')
    return read(cursor)
  }
}

function enumReader(symbols: readonly string[]): Read {
  return (cursor) => {
    const symbol = symbols[Number(readLong(cursor))]
    if (symbol === undefined) throw new Error('no such symbol')
    return symbol
  }
}

function arrayReader(read: Read): Read {
  return (cursor) => {
    const items: Json[] = []
    readBlocks(cursor, () => items.push(read(cursor)))
    return items
  }
}

function mapReader(read: Read): Read {
  return (cursor) => {
    const map: { [key: string]: Json } = {}
    readBlocks(cursor, () => put(map, readText(cursor), read(cursor)))
    return map
  }
}

/** Items of no bytes (null, an empty record) that one array may have. */
const MOST_EMPTY_ITEMS = 10_000

/** Blocks of items, each with its count; a negative count is followed by the size of the block. */
function readBlocks(cursor: Cursor, readItem: () => void): void {
  let empty = 0
  for (;;) {
    let count = Number(readLong(cursor))
    if (count === 0) return
    if (count < 0) {
      count = -count
      readLong(cursor)
    }
    for (; count > 0; count--) {
      const before = cursor.at
      readItem()
      if (cursor.at === before && ++empty > MOST_EMPTY_ITEMS) throw new Error('too many empty items')
    }
  }
}

/** `__proto__` is a name like others. */
function put(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
