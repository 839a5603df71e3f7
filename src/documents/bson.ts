/**
 * BSON of plain values, pure: what a cache document and the commands around it are made of, written in one pass into a
 * buffer that is used again. The driver's own serializer knows every type there is and takes four times as long;
 * `test/unit/documents/bson.test.ts` holds the two equal, byte for byte.
 */
import { Decimal128 } from 'mongodb'
import { Decimal } from '../contract/record.ts'
import { GrowingBuffer } from '../stream/growing-buffer.ts'

/** What was encoded already, to be copied in as it is. */
export class Encoded {
  readonly bytes: Uint8Array
  readonly isArray: boolean
  constructor(bytes: Uint8Array, isArray = false) {
    this.bytes = bytes
    this.isArray = isArray
  }
}

/** The value is nested deeper than MongoDB stores. */
export class TooDeep extends Error {
  override name = 'TooDeep'
}

/** The value holds what BSON of plain values cannot: a key with a NUL, a type of another library. */
export class NotPlain extends Error {
  override name = 'NotPlain'
}

const DOUBLE = 0x01
const STRING = 0x02
const OBJECT = 0x03
const ARRAY = 0x04
const BOOLEAN = 0x08
const DATE = 0x09
const NULL = 0x0a
const INT32 = 0x10
const INT64 = 0x12
const DECIMAL128 = 0x13

/**
 * Beyond this nesting MongoDB refuses not the document (it stores 180 levels) but the whole command that holds it, so it is
 * not sent.
 */
const MAX_DEPTH = 185
/** Kept for the next documents; what a rare larger one leaves behind is given back. */
const LARGEST_KEPT = 1 << 24

const out = new GrowingBuffer(LARGEST_KEPT)

/** BSON of each value, in order; null for one that `refuse` was told about. All share one buffer of their own. */
export function encodeEach(
  values: readonly object[],
  refuse: (index: number, error: Error) => void,
): (Buffer | null)[] {
  const parts = out.each(values, (value, index) => {
    const start = out.at
    try {
      writeObject(value, 1)
    } catch (error) {
      if (!(error instanceof TooDeep || error instanceof NotPlain)) throw error
      out.at = start
      refuse(index, error)
    }
  })
  return parts.map((part) => (part.length === 0 ? null : part))
}

function writeInt32(value: number, place: number): void {
  out.buffer[place] = value
  out.buffer[place + 1] = value >>> 8
  out.buffer[place + 2] = value >>> 16
  out.buffer[place + 3] = value >>> 24
}

function writeObject(object: object, depth: number): void {
  if (depth > MAX_DEPTH) throw new TooDeep(`nested deeper than ${MAX_DEPTH} levels`)
  out.ensure(5)
  const start = out.at
  out.at += 4
  if (Array.isArray(object)) for (let i = 0; i < object.length; i++) writeElement(String(i), object[i] ?? null, depth)
  else for (const key in object) writeElement(key, (object as Record<string, unknown>)[key], depth)
  out.ensure(1)
  out.buffer[out.at++] = 0
  writeInt32(out.at - start, start)
}

function writeElement(key: string, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      writeKey(STRING, key)
      writeString(value)
      break
    case 'number':
      writeNumber(key, value)
      break
    case 'boolean':
      writeKey(BOOLEAN, key)
      out.buffer[out.at++] = value ? 1 : 0
      break
    case 'undefined':
      break
    case 'bigint':
      writeKey(INT64, key)
      if (BigInt.asIntN(64, value) !== value) throw new NotPlain('an integer is beyond 64 bits')
      out.at = out.buffer.writeBigInt64LE(value, out.at)
      break
    case 'object':
      writeObjectElement(key, value, depth)
      break
    default:
      throw new NotPlain(`a ${typeof value} is no value of a document`)
  }
}

function writeObjectElement(key: string, value: object | null, depth: number): void {
  if (value === null) writeKey(NULL, key)
  else if (Array.isArray(value)) {
    writeKey(ARRAY, key)
    writeObject(value, depth + 1)
  } else if (value instanceof Date) {
    writeKey(DATE, key)
    const time = value.getTime()
    writeInt32(time % 2 ** 32, out.at) // two's complement, also of a time before 1970
    writeInt32(Math.floor(time / 2 ** 32), out.at + 4)
    out.at += 8
  } else if (value instanceof Decimal) {
    writeKey(DECIMAL128, key)
    out.bytes(decimal128(value))
  } else if (value instanceof Encoded) {
    writeKey(value.isArray ? ARRAY : OBJECT, key)
    out.bytes(value.bytes)
  } else {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) throw new NotPlain('an object is not a plain one')
    writeKey(OBJECT, key)
    writeObject(value, depth + 1)
  }
}

function decimal128({ text }: Decimal): Uint8Array {
  try {
    return Decimal128.fromString(text).bytes
  } catch {
    throw new NotPlain('a number is beyond what BSON holds')
  }
}

function writeNumber(key: string, value: number): void {
  if ((value | 0) === value && !Object.is(value, -0)) {
    writeKey(INT32, key)
    writeInt32(value, out.at)
    out.at += 4
  } else {
    writeKey(DOUBLE, key)
    out.at = out.buffer.writeDoubleLE(value, out.at)
  }
}

/** Also makes room for a number. */
function writeKey(type: number, key: string): void {
  const { length } = key
  out.ensure(3 * length + 10)
  out.buffer[out.at++] = type
  const start = out.at
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i)
    if (unit > 0x7f) {
      out.at = start + out.buffer.write(key, start)
      if (key.includes('\0', i)) throw new NotPlain('a key holds a NUL')
      break
    }
    if (unit === 0) throw new NotPlain('a key holds a NUL')
    out.buffer[out.at++] = unit
  }
  out.buffer[out.at++] = 0
}

function writeString(text: string): void {
  out.ensure(3 * text.length + 5)
  const start = out.at + 4
  out.at = start
  out.text(text)
  writeInt32(out.at - start + 1, start - 4)
  out.buffer[out.at++] = 0
}
