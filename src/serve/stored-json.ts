/**
 * The JSON of a stored document in one walk over its bytes, without an object for each value between: a few times faster than to read
 * it with the driver's library and to write its JSON then. It knows what most documents are made of; of any other it says so,
 * and the library reads that one. BSON: https://bsonspec.org/spec.html
 */
import { LAST_MS, putIso } from '../contract/iso-time.ts'

export interface StoredJson {
  /** All but `cache`, without the brace that ends it. */
  content: string
  /** `cache`, but for the orders in it. */
  cache: string
  ofCache: OfCache
}

/** Some of what stands in `cache`; empty: it is null or not there. */
export interface OfCache {
  kind: string
  sessionId: string
  /** For comparing alone. */
  order: string
  erased: string
  orderOfSuccess: string
}

/** Larger documents are left to the library. */
const MOST_BYTES = 65_536
/** A control character takes one byte here and six in JSON; nothing grows by more. */
const outOfContent = Buffer.allocUnsafe(6 * MOST_BYTES)
const outOfCache = Buffer.allocUnsafe(6 * MOST_BYTES)
const double = new Float64Array(1)
const bytesOfDouble = new Uint8Array(double.buffer)

/** Where the walk is: what is read and its next byte, what is written and its next one. */
let bytes: Uint8Array = outOfContent
let from = 0
let out = outOfContent
let to = 0
let isAscii = true
let cache = ''
let ofCache = nothing()

/**
 * @param document in BSON, as a store has checked it.
 * @returns null: it is large, has no `cache`, or holds what JSON or a number of JavaScript does not hold exactly, or names that JSON
 *   escapes.
 */
export function storedJson(document: Uint8Array): StoredJson | null {
  if (document.length > MOST_BYTES) return null
  bytes = document
  from = 0
  out = outOfContent
  to = 0
  isAscii = true
  cache = ''
  ofCache = nothing()
  try {
    putMembers(takeFromDocument)
  } catch (error) {
    if (error === UNKNOWN) return null
    throw error
  }
  to--
  return cache === '' ? null : { content: textFrom(0), cache, ofCache }
}

function nothing(): OfCache {
  return { kind: '', sessionId: '', order: '', erased: '', orderOfSuccess: '' }
}

const UNKNOWN = new Error('This is left to the library')

/** Of what was written from there on. */
const textFrom = (start: number) => out.toString(isAscii ? 'latin1' : 'utf8', start, to)

/** @param take whether the member that comes next was dealt with. */
function putMembers(take: ((type: number) => boolean) | null): void {
  from += 4
  out[to++] = OPEN_BRACE
  const start = to
  for (let type = bytes[from++] as number; type !== END; type = bytes[from++] as number) {
    if (take?.(type)) continue
    putName()
    putValue(type)
    out[to++] = COMMA
  }
  if (to !== start) to--
  out[to++] = CLOSE_BRACE
}

function takeFromDocument(type: number): boolean {
  if (type !== DOCUMENT || !skipName('cache')) return false
  const before = to
  out = outOfCache
  to = 0
  putMembers(takeFromCache)
  cache = textFrom(0)
  out = outOfContent
  to = before
  return true
}

function takeFromCache(type: number): boolean {
  if (type === DOCUMENT && isNamed('lastSuccess')) {
    putName()
    putMembers(takeFromSuccess)
    out[to++] = COMMA
    return true
  }
  if (type !== STRING) return false
  if (skipName('order')) ofCache.order = takeText()
  else if (skipName('erased')) ofCache.erased = takeText()
  else return noteAhead()
  return true
}

/** What is asked for and put all the same. */
function noteAhead(): false {
  if (isNamed('kind')) ofCache.kind = textAhead('kind')
  else if (isNamed('sessionId')) ofCache.sessionId = textAhead('sessionId')
  return false
}

function takeFromSuccess(type: number): boolean {
  if (type !== STRING || !skipName('order')) return false
  ofCache.orderOfSuccess = takeText()
  return true
}

function isNamed(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name.charCodeAt(i)) return false
  return bytes[from + name.length] === 0
}

function skipName(name: string): boolean {
  if (!isNamed(name)) return false
  from += name.length + 1
  return true
}

/** Of the string that comes next, which is not put. */
function takeText(): string {
  const start = to
  putString()
  const text = textFrom(start)
  to = start
  return text.includes('\\') ? JSON.parse(text) : text.slice(1, -1)
}

/** Of the string that comes after this name, both of which will be put. */
function textAhead(name: string): string {
  const before = from
  from += name.length + 1
  const text = takeText()
  from = before
  return text
}

function putName(): void {
  const source = bytes
  const target = out
  let read = from
  let written = to
  let bits = 0
  target[written++] = QUOTE
  for (let byte = source[read++] as number; byte !== 0; byte = source[read++] as number) {
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) throw UNKNOWN
    bits |= byte
    target[written++] = byte
  }
  if (bits >= 0x80) isAscii = false
  target[written] = QUOTE
  target[written + 1] = COLON
  from = read
  to = written + 2
}

function putValue(type: number): void {
  switch (type) {
    case STRING:
      putString()
      break
    case DOCUMENT:
      putMembers(null)
      break
    case DOUBLE:
      putDouble()
      break
    case ARRAY:
      putItems()
      break
    case BOOLEAN:
      putAscii(bytes[from++] === 0 ? 'false' : 'true')
      break
    case DATE:
      putDate()
      break
    case NULL:
      putAscii('null')
      break
    case INT32:
      putAscii(String(int32()))
      break
    case INT64:
      putInt64()
      break
    default:
      throw UNKNOWN
  }
}

function putItems(): void {
  from += 4
  out[to++] = OPEN_BRACKET
  const start = to
  for (let type = bytes[from++] as number; type !== END; type = bytes[from++] as number) {
    while (bytes[from++] !== 0); // its number
    putValue(type)
    out[to++] = COMMA
  }
  if (to !== start) to--
  out[to++] = CLOSE_BRACKET
}

function putString(): void {
  const source = bytes
  const target = out
  const end = int32() + from - 1
  let read = from
  let written = to
  let bits = 0
  target[written++] = QUOTE
  while (read < end) {
    const byte = source[read++] as number
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) {
      to = written
      putAscii(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))
      written = to
    } else {
      bits |= byte
      target[written++] = byte
    }
  }
  if (bits >= 0x80) isAscii = false
  target[written] = QUOTE
  from = end + 1
  to = written + 1
}

function putDouble(): void {
  for (let i = 0; i < 8; i++) bytesOfDouble[i] = bytes[from++] as number
  const value = double[0] as number
  if (!Number.isFinite(value)) throw UNKNOWN
  putAscii(String(value))
}

function putDate(): void {
  const ms = int64()
  if (Math.abs(ms) > LAST_MS) throw UNKNOWN
  out[to++] = QUOTE
  to = putIso(ms, out, to)
  out[to++] = QUOTE
}

function putInt64(): void {
  const value = int64()
  if (!Number.isSafeInteger(value)) throw UNKNOWN
  putAscii(String(value))
}

/** Not exact beyond the safe integers. */
function int64(): number {
  const low = int32() >>> 0
  return int32() * 0x1_0000_0000 + low
}

function int32(): number {
  const source = bytes
  const at = from
  from = at + 4
  return (
    (source[at] as number) |
    ((source[at + 1] as number) << 8) |
    ((source[at + 2] as number) << 16) |
    ((source[at + 3] as number) << 24)
  )
}

function putAscii(text: string): void {
  const target = out
  let written = to
  for (let i = 0; i < text.length; i++) target[written++] = text.charCodeAt(i)
  to = written
}

const END = 0
const DOUBLE = 0x01
const STRING = 0x02
const DOCUMENT = 0x03
const ARRAY = 0x04
const BOOLEAN = 0x08
const DATE = 0x09
const NULL = 0x0a
const INT32 = 0x10
const INT64 = 0x12

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
