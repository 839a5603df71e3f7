import { type Collection, type Document, MongoServerError } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'

/** What a router does with a question that goes to several shards. */
const TO_SEVERAL = new Set<unknown>(['SHARD_MERGE', 'SHARD_MERGE_SORT'])

/**
 * Whether a sharded cluster sends what is asked and written by `_id` to one shard, as it does where `_id` is the shard key, or nothing
 * is sharded. By any other key an id may be stored on each shard, and a write of ours that inserts is refused. Needs no right but
 * to read the collection.
 * @throws an error that names the remedy when it does not; nothing where the cluster does not tell.
 */
export async function assertSpreadById({ db, collectionName, namespace }: Collection<CacheDocument>): Promise<void> {
  const explain = { find: collectionName, filter: { _id: '' } }
  const asked = db.command({ explain, verbosity: 'queryPlanner' })
  const { stage, shards } = (await asked.catch(refused)).queryPlanner?.winningPlan ?? {}
  if (!TO_SEVERAL.has(stage)) return
  throw new Error(
    `The collection ${namespace} is sharded by another key than _id: what is asked by _id goes to ${shards?.length} shards. ` +
      `Shard it anew: db.adminCommand({ reshardCollection: ${JSON.stringify(namespace)}, key: { _id: "hashed" } })`,
  )
}

/** There may be no such database yet. */
function refused(error: Error): Document {
  if (error instanceof MongoServerError) return {}
  throw error
}
