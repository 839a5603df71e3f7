import type { CacheDocument } from '../contract/document.ts'
import { tombstoneIn } from './merge.ts'

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
  const { cache, createdAt, updatedAt } = existing
  if (cache === undefined || createdAt === undefined || updatedAt === undefined) return false
  if (document.cache.order > cache.order) return false
  if (document.createdAt < createdAt || document.updatedAt > updatedAt) return false
  const erased = cache.kind === 'tombstone' ? cache.order : cache.erased
  if (isAfter(tombstoneIn(document), erased)) return false
  if (cache.kind !== 'error') return true
  const success = successOrderIn(document)
  return !isAfter(success, erased) || !isAfter(success, cache.lastSuccess?.order)
}

function successOrderIn({ cache }: CacheDocument): string | undefined {
  return cache.kind === 'error' || cache.kind === 'tombstone' ? cache.lastSuccess?.order : cache.order
}

function isAfter(order: string | undefined, other: string | undefined): boolean {
  return order !== undefined && (other === undefined || order > other)
}
