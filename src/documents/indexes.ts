import { type Collection, type IndexDescription, MongoServerError } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'

type Index = IndexDescription & { name: string }

/** What MongoDB itself deletes by. */
const EXPIRY: Index = { key: { 'cache.expiresAt': 1 }, name: 'cache.expiresAt_1', expireAfterSeconds: 0 }

/** And what applications query. */
const INDEXES: readonly Index[] = [{ key: { card: 1, createdAt: -1 }, name: 'card_1_createdAt_-1' }, EXPIRY]

export const INDEXES_OF_PRICES: readonly Index[] = [EXPIRY]

/** What `serve` queries beside; a document without a session is not in it. */
export const INDEXES_OF_SERVE: readonly Index[] = [
  {
    key: { 'cache.sessionId': 1, 'cache.observedAt': -1 },
    name: 'cache.sessionId_1_cache.observedAt_-1',
    partialFilterExpression: { 'cache.sessionId': { $gt: '' } },
  },
]

/** IndexAlreadyExists, IndexOptionsConflict, IndexKeySpecsConflict. */
const CONFLICTS = new Set<unknown>([68, 85, 86])

/**
 * Makes the indexes, and the collection, when they are missing. An index that does the same under another name is left
 * as it is.
 * @throws an error that names the index and the command that drops it, when another one stands in its place; the driver's
 * error when MongoDB is away.
 */
export async function ensureIndexes(collection: Collection<CacheDocument>, indexes = INDEXES): Promise<void> {
  for (const index of indexes) {
    try {
      await collection.createIndexes([index])
    } catch (error) {
      if (!(error instanceof MongoServerError) || !CONFLICTS.has(error.code)) throw error
      await acceptOrExplain(collection, index, error)
    }
  }
}

async function acceptOrExplain(collection: Collection<CacheDocument>, wanted: IndexDescription, cause: Error) {
  const key = JSON.stringify(wanted.key)
  const standing = (await collection.indexes()).find(
    (index) => index.name === wanted.name || JSON.stringify(index.key) === key,
  )
  if (standing !== undefined && isAsGood(standing, wanted)) return
  const name = standing?.name ?? wanted.name
  throw new Error(
    `The collection ${collection.namespace} has an index "${name}" in the place of ${key}` +
      `${wanted.expireAfterSeconds === undefined ? '' : ` with expireAfterSeconds: ${wanted.expireAfterSeconds}`}. ` +
      `Drop it, then start again: db.getCollection(${JSON.stringify(collection.collectionName)}).dropIndex(${JSON.stringify(name)})`,
    { cause },
  )
}

function isAsGood(standing: IndexDescription, wanted: IndexDescription): boolean {
  return (
    JSON.stringify(standing.key) === JSON.stringify(wanted.key) &&
    standing.expireAfterSeconds === wanted.expireAfterSeconds &&
    JSON.stringify(standing.partialFilterExpression) === JSON.stringify(wanted.partialFilterExpression) &&
    !standing.sparse &&
    !standing.unique &&
    !standing.collation
  )
}
