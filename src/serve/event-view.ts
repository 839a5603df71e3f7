/** A stored document as the API shows it: decrypted, its numbers exact, and beside it what it says in one form. */
import type { CacheContent, CacheDocument } from '../contract/document.ts'
import { type EncryptionKeys, unseal } from '../documents/encryption.ts'
import { readBack } from '../documents/read-back.ts'
import { factsOf } from '../normalize/facts.ts'
import type { Clock } from '../normalize/time-zone.ts'
import { jsonText } from './json-text.ts'

export interface EventJson {
  id: string
  zone: string | null
  session: string | null
  card: string | null
  version: string
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

export function eventJson(stored: CacheDocument, { keys, clock }: Reading): EventJson {
  const { _id, createdAt, updatedAt, cache, ...content } = keys.length === 0 ? stored : unseal(stored._id, stored, keys)
  const { order: _order, observedAt, ...success } = cache.lastSuccess ?? {}
  const facts = factsOf(isPlain(content) ? content : (readBack(content) as CacheContent), clock)
  const view = {
    _id,
    ...content,
    createdAt,
    updatedAt,
    cache: {
      ...{ kind: cache.kind, status: cache.status, sessionId: cache.sessionId },
      ...{ observedAt: cache.observedAt, source: cache.source, expiresAt: cache.expiresAt },
      ...(cache.lastSuccess && { lastSuccess: { observedAt, ...success } }),
    },
    facts,
  }
  return {
    id: _id,
    zone: facts.zoneId,
    session: cache.sessionId,
    card: stored.card ?? null,
    version: versionOf(stored),
    at: createdAt.getTime(),
    isGone: cache.kind === 'tombstone',
    json: jsonText(view),
  }
}

/** Whether it holds nothing but what JSON has: then it needs no reading back, which costs more than all the rest. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isPlain)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) if (!isPlain((value as Record<string, unknown>)[name])) return false
  return true
}

/**
 * What a document grows by, as text that compares: a merge never makes it smaller. `createdAt` may still move back, to what nobody
 * would miss.
 */
function versionOf({ cache, updatedAt }: CacheDocument): string {
  const updated = String(updatedAt.getTime()).padStart(15, '0')
  return `${cache.order}\t${cache.erased ?? ''}\t${cache.lastSuccess?.order ?? ''}\t${updated}`
}
