import { describe, expect, test } from '@jest/globals'
import { type Collection, type Document, MongoServerError } from 'mongodb'
import type { CacheDocument } from '../../../src/contract/document.ts'
import { assertSpreadById } from '../../../src/documents/spread.ts'

/** A collection whose server explains a look by `_id` so. */
function explainedAs(winningPlan: Document, asked: Document[] = []): Collection<CacheDocument> {
  return answering(async (command) => {
    asked.push(command)
    return { queryPlanner: { winningPlan }, ok: 1 }
  })
}

const answering = (command: (command: Document) => Promise<Document>) =>
  ({ db: { command }, collectionName: 'events', namespace: 'd.events' }) as unknown as Collection<CacheDocument>

// As routers say it: https://www.mongodb.com/docs/manual/reference/explain-results/#sharded-collection
const ONE = { stage: 'SINGLE_SHARD', shards: [{ shardName: 'a' }] }
const TWO = { stage: 'SHARD_MERGE', shards: [{ shardName: 'a' }, { shardName: 'b' }] }

describe('a cluster that sends what is asked by _id', () => {
  test('to one shard is taken as it is, and asked for nothing but the plan', async () => {
    const asked: Document[] = []
    await assertSpreadById(explainedAs(ONE, asked))
    expect(asked).toEqual([{ explain: { find: 'events', filter: { _id: '' } }, verbosity: 'queryPlanner' }])
  })

  test('to several is an error with its remedy', async () => {
    const remedy = 'db.adminCommand({ reshardCollection: "d.events", key: { _id: "hashed" } })'
    await expect(assertSpreadById(explainedAs(TWO))).rejects.toThrow(remedy)
    await expect(assertSpreadById(explainedAs(TWO))).rejects.toThrow('goes to 2 shards')
  })

  test('by a plan that nobody here has heard of is left alone', async () => {
    await assertSpreadById(explainedAs({ stage: 'IDHACK' }))
    await assertSpreadById(answering(async () => ({ ok: 1 })))
  })

  test('and tells nothing of it, as before there is a database, is left alone; one that is away is not', async () => {
    const refusing = (error: Error) => answering(() => Promise.reject(error))
    await assertSpreadById(refusing(new MongoServerError({ code: 26, message: 'database d not found' })))
    await expect(assertSpreadById(refusing(new Error('away')))).rejects.toThrow('away')
  })
})
