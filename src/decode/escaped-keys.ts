/**
 * V8's `JSON.parse` (13.6, of Node 24, among others) can take a key that is written with escapes for another one: where an object
 * of the same first keys had a key that holds a backslash, it compares that key with the text as it is written.
 *
 *     JSON.parse('{"{":1,"\\\\":2}')
 *     JSON.parse('{"{":1,"\\"":2}')   // gives {"{":1,"\\":2}
 *
 * A field could so get around what is done by its name. So such keys are parsed under names without escapes, and get their own
 * names back afterwards. They are rare.
 */
import { Decimal, type Json } from '../contract/record.ts'

export interface Renamed {
  text: string
  /** The own names, by the names that stand for them. */
  names: ReadonlyMap<string, string>
}

/**
 * The text with other names for its keys, for all of them so that they stay in order; null: none has escapes. It may be no JSON.
 */
export function renameEscapedKeys(text: string): Renamed | null {
  if (!text.includes('\\') || !hasEscapedKey(text)) return null
  let mark = MARK
  while (text.includes(mark)) mark += MARK
  const names = new Map<string, string>()
  /** Equal keys stay equal, so that of them only the last is looked at. */
  const standIns = new Map<string, string>()
  let renamed = ''
  let from = 0
  for (const [start, end] of keysOf(text)) {
    const own = JSON.parse(text.slice(start, end)) as string
    const name = standIns.get(own) ?? `${mark}${names.size}`
    standIns.set(own, name)
    names.set(name, own)
    renamed += `${text.slice(from, start)}"${name}"`
    from = end
  }
  return { text: renamed + text.slice(from), names }
}

/** For private use, and of no meaning to JSON. */
const MARK = '\ue000'
const QUOTE = 34
const BACKSLASH = 92
const COLON = 58

/** In time that is linear in the text, like all here. */
function hasEscapedKey(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; ) {
    const end = endOfString(text, at)
    if (isKey(text, end)) return true
    at = text.indexOf('\\', end)
  }
  return false
}

/** Where all keys stand, with their quotes. */
function* keysOf(text: string): Generator<[start: number, end: number]> {
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = endOfString(text, start + 1)
    if (isKey(text, end)) yield [start, end]
    start = text.indexOf('"', end)
  }
}

/** Behind the quote that ends a string, seen from within it. */
function endOfString(text: string, within: number): number {
  let end = within
  while (end < text.length && text.charCodeAt(end) !== QUOTE) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1
  return end + 1
}

/** Whether the string that ends before `end` is a key. */
function isKey(text: string, end: number): boolean {
  let next = end
  while (BLANKS.has(text.charCodeAt(next))) next++
  return text.charCodeAt(next) === COLON
}

const BLANKS: ReadonlySet<number> = new Set([9, 10, 13, 32])

/** A copy in which keys have their own names; of equal ones the last counts, in the place of the first. */
export function giveNamesBack(value: Json, names: Renamed['names']): Json {
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return value
  if (Array.isArray(value)) return value.map((item) => giveNamesBack(item, names))
  const members = Object.entries(value).map(
    ([key, inner]) => [names.get(key) ?? key, giveNamesBack(inner, names)] as const,
  )
  return Object.fromEntries(members)
}
