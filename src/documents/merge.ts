import type { CacheContent, CacheDocument, LastSuccess } from '../contract/document.ts'

/**
 * Joins two documents of one `_id`. The join is commutative, associative and idempotent, so the documents of any records
 * in any order, split or repetition join to one result, equal by value:
 *
 * - the *holder*, the document of the greater `cache.order`, gives the content and everything about it;
 * - what a tombstone erased stays erased: nothing older than the newest tombstone seen comes back;
 * - while an error holds the document, the newest success that no tombstone erased stays in `cache.lastSuccess`;
 * - `createdAt` is the earliest, `updatedAt` the latest.
 *
 * Documents of equal order come from one record and hold the same content. `documents/pipeline.ts` says the same in
 * MongoDB's expressions; the two are tested against each other. Neither argument is changed; the result shares content
 * with them.
 */
export function merge(a: CacheDocument, b: CacheDocument): CacheDocument {
  const holder = b.cache.order > a.cache.order ? b : a
  const erased = later(tombstoneIn(a), tombstoneIn(b))
  const success = holder.cache.kind === 'error' ? newer(successIn(a), successIn(b)) : undefined
  const { lastSuccess: _success, erased: _erased, ...cache }: CacheDocument['cache'] = holder.cache
  return {
    ...holder,
    createdAt: earliest(a.createdAt, b.createdAt),
    updatedAt: latest(a.updatedAt, b.updatedAt),
    cache: {
      ...cache,
      ...(success !== undefined && !(erased !== undefined && success.order <= erased) && { lastSuccess: success }),
      // A tombstone's own order says what it erased.
      ...(erased !== undefined && cache.kind !== 'tombstone' && { erased }),
    },
  }
}

/** Joins a document with what is known of its id. */
export function mergeInto(documents: Map<string, CacheDocument>, document: CacheDocument): void {
  const known = documents.get(document._id)
  documents.set(document._id, known === undefined ? document : merge(known, document))
}

/** Order of the newest tombstone that the document knows of. */
export function tombstoneIn({ cache }: CacheDocument): string | undefined {
  return cache.kind === 'tombstone' ? cache.order : cache.erased
}

/** The newest success that the document knows of: itself, or what an error keeps. */
function successIn(document: CacheDocument): LastSuccess | undefined {
  const { kind, observedAt, order, lastSuccess } = document.cache
  if (kind === 'error' || kind === 'tombstone') return lastSuccess
  return { ...contentOf(document), observedAt, order }
}

function contentOf({ card, http_status, response, payload, user_id }: CacheContent): CacheContent {
  return {
    ...(card !== undefined && { card }),
    ...(http_status !== undefined && { http_status }),
    ...(response !== undefined && { response }),
    ...(payload !== undefined && { payload }),
    ...(user_id !== undefined && { user_id }),
  }
}

function newer(a: LastSuccess | undefined, b: LastSuccess | undefined): LastSuccess | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.order > a.order ? b : a
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b > a ? b : a
}

function earliest(a: Date, b: Date): Date {
  return b < a ? b : a
}

function latest(a: Date, b: Date): Date {
  return b > a ? b : a
}
