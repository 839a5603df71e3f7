import { createRequire } from 'node:module'
import protobuf from 'protobufjs'
import type { Json } from '../contract/record.ts'
import { type Cursor, readLong } from './avro-cursor.ts'
import { exactNumber } from './number.ts'

/** The library takes the first thing in a file for its message, whatever it is: an enum or a service, say. */
export function findMessagesInLibrary(): void {
  const { default: ProtoSchema } = createRequire(import.meta.url)(
    '@kafkajs/confluent-schema-registry/dist/ProtoSchema.js',
  )
  ProtoSchema.prototype.getTypeName = ({ root, package: name }: protobuf.IParserResult) => {
    const space = name ? root.lookup(name) : root
    const nested = space instanceof protobuf.Namespace ? space.nestedArray : []
    const message = nested.find((one) => one instanceof protobuf.Type)
    if (message === undefined) throw new Error('The schema holds no message')
    return message.fullName
  }
}

/** What the registry's library makes of a Protobuf schema: the first message of the file, with its whole file around it. */
export interface ProtobufSchemaLike {
  readonly message: protobuf.Type
}

/** Fields keep the names that the schema gives them. The library offers no option; it parses with these defaults. */
export function keepProtobufNames(): void {
  // Not in its types, but documented: https://github.com/protobufjs/protobuf.js (IParseOptions).
  ;(protobuf.parse as unknown as { defaults: protobuf.IParseOptions }).defaults.keepCase = true
}

/**
 * Reads Protobuf in Confluent's framing: the path of the message in its file, then the message. Fields that are not set
 * stay absent; 64-bit integers beyond 2^53 are bigint, enums are their names, bytes are base64.
 */
export function createProtobufReader(schema: ProtobufSchemaLike): (bytes: Buffer) => Json {
  return (bytes) => {
    const cursor = { bytes, at: 0 }
    const type = messageAt(schema.message, readPath(cursor))
    const payload = bytes.subarray(cursor.at)
    assertWhole(payload)
    const message = type.decode(payload)
    return plain(withLongKeys(type, type.toObject(message, { enums: String, bytes: String })))
  }
}

/** protobufjs shortens a text or bytes that go beyond the end, without a word; skipping over fields it is strict. */
function assertWhole(payload: Buffer): void {
  const reader = protobuf.Reader.create(payload)
  while (reader.pos < reader.len) reader.skipType(reader.uint32() & 7)
}

/** Message indexes: their count and each of them as zigzag varints; a single 0 byte stands for the path `[0]`. */
function readPath(cursor: Cursor): number[] {
  const count = Number(readLong(cursor))
  if (count === 0) return [0]
  if (count < 0 || count > cursor.bytes.length) throw new Error('no message path')
  return Array.from({ length: count }, () => Number(readLong(cursor)))
}

function messageAt(first: protobuf.Type, path: readonly number[]): protobuf.Type {
  let space: protobuf.NamespaceBase | null = first.parent as protobuf.NamespaceBase | null
  for (const index of path) {
    const messages: protobuf.Type[] = (space?.nestedArray ?? []).filter((nested) => nested instanceof protobuf.Type)
    space = messages[index] ?? null
  }
  if (!(space instanceof protobuf.Type)) throw new Error('no such message')
  return space
}

const LONG_KEYS = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'])

/** protobufjs gives 64-bit keys of a map as eight characters of their bytes; here they are decimal text. */
function withLongKeys(type: protobuf.Type, object: { [key: string]: unknown }): { [key: string]: unknown } {
  for (const field of type.fieldsArray) {
    const value = object[field.name]
    if (value === undefined || value === null) continue
    const inner = field.resolve().resolvedType
    const each = (one: unknown) =>
      inner instanceof protobuf.Type ? withLongKeys(inner, one as { [key: string]: unknown }) : one
    if (field instanceof protobuf.MapField) {
      const isLongKey = LONG_KEYS.has(field.keyType)
      const keyOf = (hash: string) =>
        isLongKey
          ? String(protobuf.util.longFromHash(hash, field.keyType === 'uint64' || field.keyType === 'fixed64'))
          : hash
      object[field.name] = Object.fromEntries(Object.entries(value).map(([key, one]) => [keyOf(key), each(one)]))
    } else if (Array.isArray(value)) object[field.name] = value.map(each)
    else object[field.name] = each(value)
  }
  return object
}

function plain(value: unknown): Json {
  if (isLong(value)) return safely(BigInt(value.toString()))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
  }
  return value as Json
}

const isLong = (value: unknown): value is protobuf.Long =>
  typeof value === 'object' && value !== null && '__isLong__' in value

/** Unsigned ones may be beyond the 64 bits of BSON's integers. */
const safely = (value: bigint): Json => exactNumber(String(value), Number(value)) ?? String(value)
