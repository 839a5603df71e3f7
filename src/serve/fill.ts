/**
 * Merges what only the primary knows into MongoDB: one write at a time, and what is asked for meanwhile goes out together with the
 * next one. So a MongoDB that is slow to confirm holds up one connection, and nobody who reads.
 */
import type { CacheDocument } from '../contract/document.ts'
import { mergeInto } from '../documents/merge.ts'
import type { DocumentStore } from '../documents/store.ts'

/** Resolves when the documents are stored, or will not be; never rejects. */
export type Fill = (documents: readonly CacheDocument[]) => Promise<void>

/** Documents that wait; more are not stored this time. */
const MOST_WAITING = 1_000

/**
 * @param onFailure told why documents are not stored: they will be when they are next asked for and not in memory.
 * @param onStored done before those go on who wait for it.
 */
export function createFill(
  store: Pick<DocumentStore, 'write'>,
  onFailure: (reason: string, documents: number) => void,
  onStored: () => Promise<void> = async () => undefined,
): Fill {
  let waiting = new Map<string, CacheDocument>()
  let current = Promise.resolve()
  let planned: Promise<void> | null = null

  async function write(documents: CacheDocument[]): Promise<void> {
    try {
      const { refused } = await store.write(documents, new Map())
      for (const reason of refused.values()) onFailure(reason, 1)
    } catch (error) {
      return onFailure((error as Error).message, documents.length)
    }
    await onStored().catch(() => {}) // without a primary: what is read then is as new as can be had
  }

  async function writeNext(before: Promise<void>): Promise<void> {
    await before
    planned = null
    const documents = [...waiting.values()]
    waiting = new Map()
    current = write(documents)
    await current
  }

  return async (documents) => {
    if (waiting.size + documents.length > MOST_WAITING) {
      onFailure(`${MOST_WAITING} documents wait for MongoDB to confirm others`, documents.length)
      return
    }
    for (const document of documents) mergeInto(waiting, document)
    planned ??= writeNext(current)
    await planned
  }
}
