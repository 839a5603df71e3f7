/** A stored document as the API shows it: decrypted, its numbers exact, and beside it what it says in one form. */
import { BSON, type Document } from 'mongodb'
import type { CacheContent, CacheDocument } from '../contract/document.ts'
import { isoOf, msOf } from '../contract/iso-time.ts'
import { type EncryptionKeys, unseal } from '../documents/encryption.ts'
import { readBack } from '../documents/read-back.ts'
import { factsOf } from '../normalize/facts.ts'
import type { Clock } from '../normalize/time-zone.ts'
import { jsonText } from './json-text.ts'
import { type OfCache, storedJson } from './stored-json.ts'

export interface EventJson {
  id: string
  zone: string | null
  session: string | null
  card: string | null
  version: string
  /** When it was made, epoch ms. */
  at: number
  isGone: boolean
  json: string
}

export interface Reading {
  /** Of what is stored encrypted. */
  keys: EncryptionKeys
  /** Of times for which nobody names a zone. */
  clock: Clock | null
}

/** Of a document as MongoDB gives it, in BSON: read here and not by the driver, which takes arrays under some names for bytes. */
export function eventOfBytes(bytes: Uint8Array, reading: Reading): EventJson {
  const stored = reading.keys.length === 0 ? storedJson(bytes) : null
  if (stored === null) return eventOf(BSON.deserialize(bytes) as Document as CacheDocument, reading)
  const { content, cache, ofCache } = stored
  const document = JSON.parse(`${content}}`)
  const facts = factsOf(document, reading.clock)
  return {
    id: document._id,
    zone: facts.zoneId,
    session: ofCache.sessionId || null,
    card: document.card ?? null,
    version: versionOf(ofCache, document.updatedAt),
    at: msOf(document.createdAt),
    isGone: ofCache.kind === 'tombstone',
    json: `${content},"cache":${cache},"facts":${jsonText(facts)}}`,
  }
}

export function eventOf(stored: CacheDocument, { keys, clock }: Reading): EventJson {
  const { _id, createdAt, updatedAt, cache, ...content } = keys.length === 0 ? stored : unseal(stored._id, stored, keys)
  const facts = factsOf(isPlain(content) ? content : (readBack(content) as CacheContent), clock)
  const { order, erased = '', lastSuccess, ...shown } = cache
  const { order: orderOfSuccess = '', ...success } = lastSuccess ?? {}
  const shownCache = lastSuccess === undefined ? shown : { ...shown, lastSuccess: success }
  return {
    id: _id,
    zone: facts.zoneId,
    session: cache.sessionId,
    card: stored.card ?? null,
    version: versionOf({ order, erased, orderOfSuccess }, isoOf(updatedAt.getTime())),
    at: createdAt.getTime(),
    isGone: cache.kind === 'tombstone',
    json: jsonText({ _id, ...content, createdAt, updatedAt, cache: shownCache, facts }),
  }
}

/**
 * What a document grows by, as text that compares: a merge never makes it smaller. `createdAt` may still move back, to what nobody
 * would miss.
 */
const versionOf = ({ order, erased, orderOfSuccess }: Orders, updatedAt: string) =>
  `${order}\t${erased}\t${orderOfSuccess}\t${updatedAt}`

type Orders = Pick<OfCache, 'order' | 'erased' | 'orderOfSuccess'>

/** Whether it holds nothing but what JSON has: then it needs no reading back, which costs more than all the rest. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isPlain)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) if (!isPlain((value as Record<string, unknown>)[name])) return false
  return true
}
