import { isDeepStrictEqual } from 'node:util'
import type { CacheDocument } from '../../src/contract/document.ts'
import type { Existing } from '../../src/documents/guard.ts'
import { merge } from '../../src/documents/merge.ts'
import type { DocumentStore, WriteResult } from '../../src/documents/store.ts'

export interface MemoryStore extends DocumentStore {
  documents: ReadonlyMap<string, CacheDocument>
}

/** The store that is nothing but the merge: what a store must do, in the fewest words. */
export function createMemoryStore(): MemoryStore {
  const documents = new Map<string, CacheDocument>()
  return {
    documents,
    async read(ids) {
      const existing = new Map<string, Existing>()
      for (const id of ids) {
        const document = documents.get(id)
        if (document !== undefined) existing.set(id, projected(document))
      }
      return existing
    },
    async write(written) {
      const result: WriteResult = { inserted: 0, updated: 0, unchanged: 0, kept: new Set(), refused: new Map() }
      for (const document of typeof written === 'function' ? written() : written) {
        const stored = documents.get(document._id)
        const merged = stored === undefined ? document : merge(stored, document)
        documents.set(document._id, merged)
        if (stored !== undefined && isDeepStrictEqual(timeless(merged), timeless(stored))) result.kept.add(document._id)
        if (stored === undefined) result.inserted += 1
        else if (isDeepStrictEqual(merged, stored)) result.unchanged += 1
        else result.updated += 1
      }
      return result
    },
  }
}

const timeless = ({ createdAt: _created, updatedAt: _updated, ...rest }: CacheDocument) => rest

function projected({ _id, createdAt, updatedAt, cache }: CacheDocument): Existing {
  const { kind, order, erased, lastSuccess } = cache
  return {
    _id,
    createdAt,
    updatedAt,
    cache: {
      kind,
      order,
      ...(erased !== undefined && { erased }),
      ...(lastSuccess !== undefined && { lastSuccess: { order: lastSuccess.order } }),
    },
  }
}
