import { isUtf8 } from 'node:buffer'
import { isCardNumber, LONGEST_CARD, lengthOfCard } from './card-numbers.ts'
import { replaceCards } from './cards-in-text.ts'
import { isDigit, nextRun, SHORTEST_CARD } from './digit-runs.ts'
import { showsPrintedCard } from './printed-cards.ts'
import { sensitivityOf } from './sensitive-fields.ts'
import { replaceSpans, type Span } from './spans.ts'

export interface CleanBytes {
  /** Null: withheld, because it holds card data that cannot be taken out. */
  value: Buffer | null
  /** The value is not the original one. */
  altered: boolean
}

/**
 * Takes card data out of the bytes of a dead letter, which are there because nobody could read them. Text is changed in
 * place and nothing else in it: card numbers become tokens, values of security codes and the like become empty. In
 * anything else (Avro, an unknown encoding, JSON that spells its digits as escapes) a card number can only be seen; such a
 * value is withheld.
 */
export function cleanBytesWith(value: Buffer, replace: (digits: string) => string): CleanBytes {
  if (!isUtf8(value)) return withholdIf(showsCardInBinary(value), value)
  const text = value.toString('utf8')
  if (CONTROLS.test(text)) return withholdIf(showsCardInBinary(value), value)
  const clean = blankSensitive(replaceInText(text, replace))
  if (ESCAPED_DIGITS.test(clean) && showsCard(unescaped(clean))) return { value: null, altered: true }
  if (hasCardInBase64(clean)) return { value: null, altered: true }
  return clean === text ? { value, altered: false } : { value: Buffer.from(clean), altered: true }
}

const showsCardInBinary = (value: Buffer) => textsOf(value).some(showsCard) || hidesCard(value)

/** As UTF-8, and as UTF-16 of either order, where more than ASCII stands between the digits. */
function textsOf(value: Buffer): string[] {
  const even = value.subarray(0, value.length & ~1)
  return [value.toString(), even.toString('utf16le'), Buffer.from(even).swap16().toString('utf16le')]
}

/** What no text holds: it is a binary encoding, and to change its text would break its lengths. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/
/** A digit, or what follows a digit, written as a JSON escape. */
const ESCAPED_DIGITS = /\\u003[0-9]|[0-9]\\(?:u[0-9a-fA-F]{4}|[t/])/
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|([t/\\]))/g
const unescaped = (text: string) =>
  text.replace(ESCAPE, (_, code: string | undefined, short: string) =>
    code === undefined ? (short === 't' ? '\t' : short) : String.fromCharCode(Number.parseInt(code, 16)),
  )

/**
 * A text with what is base64 in it of something that holds a card number, as bytes of Avro and Protobuf are: that without the
 * number, or withheld where it cannot be taken out.
 */
export const cleanBase64 = (text: string, replace: (digits: string) => string): string =>
  replaceSpans(text, text, nextBase64, cleanRun, replace)

function cleanRun({ start, end }: Span, text: string, replace: (digits: string) => string): string {
  const base64 = text.slice(start, end)
  const { value, altered } = cleanBytesWith(Buffer.from(base64, 'base64'), replace)
  if (altered) return value?.toString(/[-_]/.test(base64) ? 'base64url' : 'base64') ?? WITHHELD
  return showsCardInBase64(base64) ? WITHHELD : base64
}

const WITHHELD = 'withheld'

/** By its length and first hyphens: what most ids are. */
const isUuid = (text: string, start: number, end: number) =>
  end - start === 36 && text[start + 8] === '-' && text[start + 13] === '-'

function hasCardInBase64(text: string): boolean {
  for (let run = nextBase64(text, 0); run !== null; run = nextBase64(text, run.end)) {
    if (showsCardInBase64(text.slice(run.start, run.end))) return true
  }
  return false
}

/** Where it begins is not known: other characters of the alphabet may stand before it. */
function showsCardInBase64(base64: string): boolean {
  return [0, 1, 2, 3].some((start) => showsCard(Buffer.from(base64.slice(start), 'base64').toString()))
}

/** Of 13 digits, the shortest card. */
const SHORTEST_BASE64 = 18
const IN_BASE64 = new Uint8Array(0x10000)
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_')
  IN_BASE64[character.charCodeAt(0)] = 1
const isOfBase64 = (text: string, i: number) => IN_BASE64[text.charCodeAt(i)] === 1
const PADDING = 61

/**
 * The next characters of base64 or base64url that are enough for a card number, at or after `from`. Looks at one of 18
 * characters, and by hand, as there may be millions.
 */
function nextBase64(text: string, from: number): Span | null {
  for (let i = from + SHORTEST_BASE64 - 1; i < text.length; i += SHORTEST_BASE64) {
    if (!isOfBase64(text, i)) continue
    let start = i
    while (start > from && isOfBase64(text, start - 1)) start--
    let end = i + 1
    while (end < text.length && isOfBase64(text, end)) end++
    if (end - start >= SHORTEST_BASE64 && !isUuid(text, start, end)) {
      while (text.charCodeAt(end) === PADDING && (end - start) % 4 !== 0) end++
      return { start, end }
    }
    i = end - 1
  }
  return null
}

/**
 * Whether a value in the wire format of a schema registry, which nobody could decode, has a card number as a number of Avro or
 * Protobuf: whether one of its bytes begins such a number. 13 digits take 6 bytes.
 */
function hidesCard(bytes: Buffer): boolean {
  if (bytes[0] !== 0) return false
  let number = 0n
  let length = 0
  for (let end = bytes.length - 1; end >= 0; end--) {
    const byte = bytes[end] as number
    if (byte < 0x80) {
      number = BigInt(byte)
      length = 1
      continue
    }
    if (length === 0 || length === MOST_BYTES_OF_VARINT) continue
    number = (number << 7n) | BigInt(byte & 0x7f)
    if (++length < LEAST_BYTES_OF_CARD) continue
    if (isCardNumber(String(number)) || isCardNumber(String(zigzag(number)))) return true
  }
  return false
}

const LEAST_BYTES_OF_CARD = 6
const MOST_BYTES_OF_VARINT = 10

/** A signed number's amount. */
function zigzag(number: bigint): bigint {
  return number & 1n ? (number >> 1n) + 1n : number >> 1n
}

const withholdIf = (found: boolean, value: Buffer): CleanBytes =>
  found ? { value: null, altered: true } : { value, altered: false }

/** Whether any 13–19 digits in a row are a card number, whatever stands beside them; NULs, which UTF-16 has between, left out. */
function showsCard(text: string): boolean {
  const plain = text.replaceAll('\0', '')
  if (showsPrintedCard(plain)) return true
  for (let run = nextRun(plain, 0, false); run !== null; run = nextRun(plain, run.end, false)) {
    const digits = plain.slice(run.start, run.end).replace(/\D/g, '')
    for (let start = 0; start + SHORTEST_CARD <= digits.length; start++) {
      if (lengthOfCard(digits, start, digits.length, anywhere) !== 0) return true
    }
  }
  return false
}

const anywhere = () => true

function replaceInText(text: string, replace: (digits: string) => string): string {
  return replaceCards(quoteCardNumbers(text, replace), replace)
}

/** Card numbers where JSON has a number, which is outside of its strings: there a token needs quotes. */
function quoteCardNumbers(text: string, replace: (digits: string) => string): string {
  let result = ''
  let copied = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (isDigit(code)) {
      const end = endOfDigits(text, i)
      const digits = end - i < SHORTEST_CARD || end - i > LONGEST_CARD ? '' : text.slice(i, end)
      if (
        isCardNumber(digits) &&
        BEFORE_NUMBER.test(text.slice(Math.max(0, i - 20), i)) &&
        AFTER_NUMBER.test(text.slice(end, end + 20))
      ) {
        result += `${text.slice(copied, i)}"${replace(digits)}"`
        copied = end
      }
      i = end - 1
    }
  }
  return result + text.slice(copied)
}

const QUOTE = 34
const BACKSLASH = 92
const BEFORE_NUMBER = /[[,:]\s*$/
const AFTER_NUMBER = /^\s*[\],}]/

/** Place of the quote that ends the string begun at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) return i
    if (code === BACKSLASH) i++
  }
  return text.length
}

function endOfDigits(text: string, start: number): number {
  let end = start
  while (isDigit(text.charCodeAt(end))) end++
  return end
}

/** Name of a field, as JSON or as JSON within a string (`\"cvv\":`), and its plain value. */
const NAME = /(\\{0,9})"([^"\\]{1,40})\1"\s{0,20}:\s{0,20}/g
const VALUE = /\\{0,9}"[^"\\]*\\{0,9}"|[^\s"'\\,{}[\]]+/y

function blankSensitive(text: string): string {
  let result = ''
  let copied = 0
  for (const { 0: field, 1: slashes = '', 2: name = '', index } of text.matchAll(NAME)) {
    if (index < copied || sensitivityOf(name) !== 'drop') continue
    VALUE.lastIndex = index + field.length
    const value = VALUE.exec(text)?.[0]
    if (value === undefined) continue
    result += `${text.slice(copied, index + field.length)}${slashes}"${slashes}"`
    copied = index + field.length + value.length
  }
  return result + text.slice(copied)
}
