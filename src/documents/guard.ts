import type { CacheDocument } from '../contract/document.ts'
import { merge, tombstoneIn } from './merge.ts'

/** What a projected read shows of a stored document: all that decides whether a new one can change it. */
export interface Existing {
  _id: string
  createdAt?: Date
  updatedAt?: Date
  /** Missing on a document that an earlier application wrote. */
  cache?: { kind: CacheDocument['cache']['kind']; order: string; erased?: string; lastSuccess?: { order: string } }
}

/**
 * Whether merging `document` into what is stored gives what is stored. A stored document only ever grows in the merge's
 * order, so an answer of true from an older read stays true.
 */
export function changesNothing(document: CacheDocument, existing: Existing): boolean {
  const { createdAt, updatedAt } = existing
  if (createdAt === undefined || updatedAt === undefined) return false
  if (document.createdAt < createdAt || document.updatedAt > updatedAt) return false
  return movesTimesOnly(document, existing)
}

/**
 * Whether merging `document` leaves all as it is stored, but for `createdAt` and `updatedAt`: a second copy, or an older
 * record. True stays true, as above, so that the server need not look again.
 */
export function movesTimesOnly(document: CacheDocument, { cache }: Existing): boolean {
  if (cache === undefined || document.cache.order > cache.order) return false
  const erased = cache.kind === 'tombstone' ? cache.order : cache.erased
  if (isAfter(tombstoneIn(document), erased)) return false
  if (cache.kind !== 'error') return true
  const success = successOrderIn(document)
  return !isAfter(success, erased) || !isAfter(success, cache.lastSuccess?.order)
}

/**
 * The merged document when it needs nothing of the stored content, so that it can be made here and put in the place of
 * exactly what was read; undefined when the server must merge. This is the common update, a newer record that is no error
 * over a success, and costs MongoDB half of a merge.
 */
export function replacementFor(document: CacheDocument, existing: Existing): CacheDocument | undefined {
  const { cache, createdAt, updatedAt } = existing
  if (cache === undefined || createdAt === undefined || updatedAt === undefined) return undefined
  if (document.cache.order <= cache.order) return undefined
  const holdsSuccess = (cache.kind !== 'error' && cache.kind !== 'tombstone') || cache.lastSuccess !== undefined
  if (document.cache.kind === 'error' && holdsSuccess) return undefined
  // The holder is `document`, and no success is stored that it would keep: the content that was not read does not matter.
  return merge(existing as CacheDocument, document)
}

function successOrderIn({ cache }: CacheDocument): string | undefined {
  return cache.kind === 'error' || cache.kind === 'tombstone' ? cache.lastSuccess?.order : cache.order
}

function isAfter(order: string | undefined, other: string | undefined): boolean {
  return order !== undefined && (other === undefined || order > other)
}
