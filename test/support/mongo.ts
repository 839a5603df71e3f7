import { randomUUID } from 'node:crypto'
import type { Collection } from 'mongodb'
import type { CacheDocument } from '../../src/contract/document.ts'
import { type Mongo, openMongo } from '../../src/documents/connect.ts'
import { sharedServices } from './services.ts'

export interface TestMongo extends Mongo {
  /** A database of this test alone; disposing drops it. */
  database: string
}

/** The shared MongoDB, as the program opens it. */
export function openTestMongo(): TestMongo {
  const database = `test-${randomUUID()}`
  const mongo = openMongo({ uri: sharedServices().mongodbUri, database, collection: 'pm_parking_events' }, 'test')
  return {
    ...mongo,
    database,
    async [Symbol.asyncDispose]() {
      await mongo.client.db(database).dropDatabase()
      await mongo.client.close()
    },
  }
}

/** A stored document, integers of 64 bits as bigint, as they were written. */
export async function stored(collection: Collection<CacheDocument>, id: string): Promise<CacheDocument | undefined> {
  return (await collection.findOne({ _id: id }, { useBigInt64: true })) ?? undefined
}
