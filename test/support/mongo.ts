import { randomUUID } from 'node:crypto'
import { BSON, type Collection } from 'mongodb'
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

/**
 * A stored document, integers of 64 bits as bigint, as they were written. Deserialized here and not by the driver, which
 * gives the items of an array as raw bytes when its key is a property of every object, such as `constructor`: it looks
 * the key up in its option `fieldsAsRaw`, an object literal (bson 7.3.4).
 */
export async function stored(collection: Collection<CacheDocument>, id: string): Promise<CacheDocument | undefined> {
  const raw: unknown = await collection.findOne({ _id: id }, { raw: true })
  return raw === null ? undefined : (BSON.deserialize(raw as Uint8Array, { useBigInt64: true }) as CacheDocument)
}
