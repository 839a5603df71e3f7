/** Numbers, texts and UUIDs at a place in a buffer, for the packed form of heads. */

/** A buffer, and where the next byte is read or written. */
export interface Cursor {
  buffer: Buffer
  at: number
}

/** A whole number from 0 to 2^53 - 1, seven bits a byte, the least first. */
export function writeVarint(to: Cursor, value: number): void {
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) to.buffer[to.at++] = (rest % 0x80) | 0x80
  to.buffer[to.at++] = rest
}

/** Throws RangeError when the bytes end within it. */
export function readVarint(from: Cursor): number {
  let value = 0
  for (let factor = 1; ; factor *= 0x80) {
    const byte = from.buffer[from.at++]
    if (byte === undefined) throw new RangeError('the bytes end within a number')
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
  }
}

/** UTF-8, or UTF-16 for the rare text that UTF-8 cannot carry (a half of a surrogate pair), so that it reads back the same. */
export function writeText(to: Cursor, text: string): void {
  const wide = !text.isWellFormed()
  const size = wide ? 2 * text.length : Buffer.byteLength(text)
  writeVarint(to, 2 * size + (wide ? 1 : 0))
  to.at += to.buffer.write(text, to.at, wide ? 'utf16le' : 'utf8')
}

export function readText(from: Cursor): string {
  const sizeAndForm = readVarint(from)
  const end = from.at + (sizeAndForm >>> 1)
  if (end > from.buffer.length) throw new RangeError('the bytes end within a text')
  const text = from.buffer.toString(sizeAndForm & 1 ? 'utf16le' : 'utf8', from.at, end)
  from.at = end
  return text
}

/** The most bytes that `writeText` takes. */
export const textBound = (text: string) => 5 + 3 * text.length

const DASHES = new Set([8, 13, 18, 23])
/** Where each byte's two digits begin in the text of a UUID. */
const DIGITS = Array.from({ length: 36 }, (_, i) => i).filter(
  (i, _, all) => !DASHES.has(i) && all.filter((j) => j < i && !DASHES.has(j)).length % 2 === 0,
)

/** Writes the 16 bytes of a UUID in lower case. False, and nothing is written, when `text` is not one. */
export function writeUuid(to: Cursor, text: string): boolean {
  if (text.length !== 36) return false
  for (const dash of DASHES) if (text.charCodeAt(dash) !== 0x2d) return false
  for (let i = 0; i < 16; i++) {
    const at = DIGITS[i] as number
    const high = hexDigit(text.charCodeAt(at))
    const low = hexDigit(text.charCodeAt(at + 1))
    if (high < 0 || low < 0) return false
    to.buffer[to.at + i] = high * 16 + low
  }
  to.at += 16
  return true
}

export function readUuid(from: Cursor): string {
  const hex = from.buffer.toString('hex', from.at, from.at + 16)
  if (hex.length !== 32) throw new RangeError('the bytes end within a UUID')
  from.at += 16
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The value of a digit 0–9 or a–f; -1 for all else. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}
