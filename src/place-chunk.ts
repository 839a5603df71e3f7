/**
 * What a chunk of taken records comes to, pure: the documents to merge (one per id), the observations in record order,
 * the rejects. Needs to know of the stored documents only when they were created: a record without a usable time takes
 * that, so that a second copy of it does not look newer.
 */
import type { Reject } from './contract/dead-letter.ts'
import type { CacheContent, CacheDocument } from './contract/document.ts'
import type { Observation } from './contract/observation.ts'
import type { SourceRecord } from './contract/record.ts'
import { merge, mergeInto } from './documents/merge.ts'
import type { Normalized } from './normalize/normalize.ts'
import { observedTime, toDocument, tombstoneDocument, toObservation } from './normalize/place.ts'

/** A record that was understood (`normalized` is null for a tombstone), or the reason why not. */
export type Taken =
  | { record: SourceRecord; id: string; normalized: Normalized | null; price?: Price }
  | { record: SourceRecord; reject: Reject }

/** What a zone costs, without anything of who asked. */
export interface Price {
  zone: string
  content: CacheContent
}

export interface Rejected {
  record: SourceRecord
  reject: Reject
}

/** All that one chunk says of one id. */
export interface Entry {
  document: CacheDocument
  /** The records folded into it, each with the document that it makes alone. */
  parts: { record: SourceRecord; document: CacheDocument }[]
}

export interface Placed {
  entries: Map<string, Entry>
  /** Price objects, by zone. */
  prices: Map<string, CacheDocument>
  observations: Observation[]
  rejects: Rejected[]
  /** Expired on arrival. */
  expired: SourceRecord[]
  /** Words that are in no table. */
  unknown: { status: number; event_type: number }
}

export interface PlaceOptions {
  retentionMs: number
  maxClockSkewMs: number
}

/** `createdAt` gives the creation time of a stored document, `now` (epoch ms) decides what has expired on arrival. */
export function placeChunk(
  taken: readonly Taken[],
  createdAt: (id: string) => Date | undefined,
  now: number,
  options: PlaceOptions,
): Placed {
  const placed: Placed = {
    entries: new Map(),
    prices: new Map(),
    observations: [],
    rejects: [],
    expired: [],
    unknown: { status: 0, event_type: 0 },
  }
  for (const one of taken) {
    if ('reject' in one) placed.rejects.push(one)
    else if (one.normalized === null) addTombstone(placed, one.id, one.record, now, options)
    else addRecord(placed, one.normalized, one.record, createdAt(one.id), now, options)
    if ('price' in one) addPrice(placed, one, now, options)
  }
  return placed
}

function addTombstone(placed: Placed, id: string, record: SourceRecord, now: number, { retentionMs }: PlaceOptions) {
  if (record.timestamp + retentionMs <= now) placed.expired.push(record)
  else add(placed, record, tombstoneDocument(id, record, retentionMs))
}

function addRecord(
  placed: Placed,
  normalized: Normalized,
  record: SourceRecord,
  storedAt: Date | undefined,
  now: number,
  { retentionMs, maxClockSkewMs }: PlaceOptions,
): void {
  const at = observedTime(normalized.time, record.timestamp, firstSeen(placed, normalized.id, storedAt), maxClockSkewMs)
  if (at + retentionMs <= now) {
    placed.expired.push(record)
    return
  }
  const { unknown } = normalized
  if (unknown === 'status' || unknown === 'both') placed.unknown.status++
  if (unknown === 'event_type' || unknown === 'both') placed.unknown.event_type++
  add(placed, record, toDocument(normalized, record, at, retentionMs))
  const observation = toObservation(normalized, record, at)
  if (observation) placed.observations.push(observation)
}

/** How long a price object is kept, from its observed time on. */
const PRICE_RETENTION_MS = 30 * 86_400_000

/** The newest answer of a zone counts, as with documents. */
function addPrice(
  placed: Placed,
  { record, normalized, price }: Taken & { price?: Price; normalized?: Normalized | null },
  now: number,
  { maxClockSkewMs }: PlaceOptions,
): void {
  if (!normalized || !price) return
  const at = observedTime(normalized.time, record.timestamp, undefined, maxClockSkewMs)
  if (at + PRICE_RETENTION_MS <= now) return
  const own = { ...normalized, id: price.zone, content: price.content }
  mergeInto(placed.prices, toDocument(own, record, at, PRICE_RETENTION_MS))
}

/** Creation time of the document as it stands before this record: stored, or made earlier in this chunk. */
function firstSeen(placed: Placed, id: string, storedAt: Date | undefined): number | undefined {
  const earlier = placed.entries.get(id)?.document.createdAt
  if (!storedAt || !earlier) return (storedAt ?? earlier)?.getTime()
  return Math.min(storedAt.getTime(), earlier.getTime())
}

function add(placed: Placed, record: SourceRecord, document: CacheDocument): void {
  const entry = placed.entries.get(document._id)
  if (entry) {
    entry.document = merge(entry.document, document)
    entry.parts.push({ record, document })
  } else placed.entries.set(document._id, { document, parts: [{ record, document }] })
}
