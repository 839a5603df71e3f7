/** A place in bytes that are being read. Every function moves it on, and throws when the bytes end before the value. */
export interface Cursor {
  readonly bytes: Buffer
  at: number
}

export function takeByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++]
  if (byte === undefined) throw new Error('cut short')
  return byte
}

/** The next `length` bytes, not copied. */
export function readBytes(cursor: Cursor, length: number): Buffer {
  const start = cursor.at
  if (start + length > cursor.bytes.length) throw new Error('cut short')
  cursor.at = start + length
  return cursor.bytes.subarray(start, cursor.at)
}

/** A length that the bytes left can hold. */
export function readLength(cursor: Cursor): number {
  const length = Number(readLong(cursor))
  if (length < 0 || cursor.at + length > cursor.bytes.length) throw new Error('cut short')
  return length
}

/** Bytes of a varint whose value is exact in a double: 7 bits each. */
const EXACT_BYTES = 7

/** A zigzag varint of up to 64 bits; beyond 2^53 it is a bigint. */
export function readLong(cursor: Cursor): number | bigint {
  const start = cursor.at
  let raw = 0
  let factor = 1
  for (let i = 0; i < EXACT_BYTES; i++) {
    const byte = takeByte(cursor)
    raw += (byte & 0x7f) * factor
    if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
    factor *= 128
  }
  cursor.at = start
  return readWideLong(cursor)
}

function readWideLong(cursor: Cursor): number | bigint {
  let raw = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = takeByte(cursor)
    raw |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) break
    if (shift >= 63n) throw new Error('no long')
  }
  if (raw >> 64n !== 0n) throw new Error('no long')
  const value = (raw & 1n) === 0n ? raw >> 1n : -((raw + 1n) >> 1n)
  return safely(value)
}

/** A number where that is exact. */
export const safely = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
