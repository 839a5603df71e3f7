import { BSON } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'

/** The largest document that MongoDB stores, bytes of BSON. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
/**
 * Most bytes of the documents of one command. A whole command may take 16 KiB more than the largest document; beyond
 * 17 MiB the driver's buffer would overflow without a word, so every document's size is bounded before it is sent.
 */
const MAX_COMMAND_BYTES = 16_000_000
const MAX_COMMAND_DOCUMENTS = 5_000
/** Above this bound the exact size is worth its cost. */
const WORTH_MEASURING = 1024 * 1024

/**
 * Beyond this nesting MongoDB refuses not the document (it stores 180 levels) but the whole command that holds it, so it is
 * not sent.
 */
const MAX_DEPTH = 185

/** Bytes of BSON that the document takes at most, exact when that is over a mebibyte; infinite when nested too deep. */
export function sizeOf(document: CacheDocument): number {
  const bound = sizeBound(document, 1)
  if (bound < WORTH_MEASURING || bound === Number.POSITIVE_INFINITY) return bound
  return BSON.calculateObjectSize(document, { ignoreUndefined: true })
}

/** Cuts items into commands by count and by bytes, in order. */
export function* packs<Item extends { bytes: number }>(items: readonly Item[]): Generator<Item[]> {
  let pack: Item[] = []
  let total = 0
  for (const item of items) {
    if (pack.length > 0 && (pack.length === MAX_COMMAND_DOCUMENTS || total + item.bytes > MAX_COMMAND_BYTES)) {
      yield pack
      pack = []
      total = 0
    }
    pack.push(item)
    total += item.bytes
  }
  if (pack.length > 0) yield pack
}

/** An upper bound that reads no text: a UTF-16 unit takes at most three bytes. */
function sizeBound(object: object, depth: number): number {
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY
  let bytes = 5
  const isArray = Array.isArray(object)
  for (const key in object) {
    bytes += 2 + (isArray ? 8 : 3 * key.length)
    const value = (object as Record<string, unknown>)[key]
    if (typeof value === 'string') bytes += 5 + 3 * value.length
    else if (typeof value !== 'object' || value === null || value instanceof Date) bytes += 8
    else bytes += sizeBound(value, depth + 1)
  }
  return bytes
}
