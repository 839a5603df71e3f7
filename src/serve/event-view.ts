/** A stored document as the API shows it: decrypted, its numbers exact, and beside it what it says in one form. */
import { stringify } from 'lossless-json'
import type { CacheDocument } from '../contract/document.ts'
import { Decimal, type Json } from '../contract/record.ts'
import { type EncryptionKeys, unseal } from '../documents/encryption.ts'
import { readBack } from '../documents/read-back.ts'
import { factsOf } from '../normalize/facts.ts'
import type { Clock } from '../normalize/time-zone.ts'

export interface EventJson {
  id: string
  zone: string | null
  session: string | null
  card: string | null
  version: string
  isGone: boolean
  json: string
}

export interface Reading {
  /** Of what is stored encrypted. */
  keys: EncryptionKeys
  /** Of times for which nobody names a zone. */
  clock: Clock | null
}

const DECIMALS = [
  { test: (value: unknown) => value instanceof Decimal, stringify: (value: unknown) => textOf(value as Decimal) },
]

const textOf = ({ digits, text }: Decimal) => (digits === '' ? '0' : text)

export function eventJson(stored: CacheDocument, { keys, clock }: Reading): EventJson {
  const { _id, createdAt, updatedAt, cache, ...content } = keys.length === 0 ? stored : unseal(stored._id, stored, keys)
  const own = readBack(content) as { [name: string]: Json }
  const { order: _order, observedAt, ...success } = cache.lastSuccess ?? {}
  const facts = factsOf(own, clock)
  const view = {
    _id,
    ...own,
    createdAt,
    updatedAt,
    cache: {
      ...{ kind: cache.kind, status: cache.status, sessionId: cache.sessionId },
      ...{ observedAt: cache.observedAt, source: cache.source, expiresAt: cache.expiresAt },
      ...(cache.lastSuccess && { lastSuccess: { observedAt, ...(readBack(success) as object) } }),
    },
    facts,
  }
  return {
    id: _id,
    zone: facts.zoneId,
    session: cache.sessionId,
    card: stored.card ?? null,
    version: versionOf(stored),
    isGone: cache.kind === 'tombstone',
    json: stringify(view, null, undefined, DECIMALS) ?? '',
  }
}

/**
 * What a document grows by, as text that compares: a merge never makes it smaller. `createdAt` may still move back, to what nobody
 * would miss.
 */
function versionOf({ cache, updatedAt }: CacheDocument): string {
  const updated = String(updatedAt.getTime()).padStart(15, '0')
  return `${cache.order}\t${cache.erased ?? ''}\t${cache.lastSuccess?.order ?? ''}\t${updated}`
}
