import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Collection } from 'mongodb'
import type { CacheDocument } from '../../src/contract/document.ts'
import type { Json } from '../../src/contract/record.ts'
import { merge } from '../../src/documents/merge.ts'
import { createStore } from '../../src/documents/store.ts'
import { documentOf, START } from '../support/documents.ts'
import { openTestMongo, stored, type TestMongo } from '../support/mongo.ts'
import { storeConformance } from '../support/store-conformance.ts'

storeConformance('the store in MongoDB', async () => {
  const mongo = openTestMongo()
  const { collection } = mongo
  return {
    store: createStore(collection),
    stored: (id) => stored(collection, id),
    [Symbol.asyncDispose]: () => mongo[Symbol.asyncDispose](),
  }
})

let mongo: TestMongo
let collection: Collection<CacheDocument>
beforeAll(() => {
  mongo = openTestMongo()
  collection = mongo.collection
})
afterAll(async () => mongo[Symbol.asyncDispose]())

const put = async (...documents: CacheDocument[]) => {
  const store = createStore(collection)
  return store.write(documents, await store.read(documents.map(({ _id }) => _id)))
}
const nested = (levels: number): Json => {
  let value: Json = 1
  for (let level = 0; level < levels; level += 1) value = { a: value }
  return value
}
const withResponse = (id: string, response: Json, at = 0) =>
  documentOf({ id, at, content: { http_status: 200, response } })

describe('documents that MongoDB refuses', () => {
  test('are told apart, with reasons without record data, and the others of the same write are stored', async () => {
    const good = Array.from({ length: 50 }, (_, index) => documentOf({ id: `good-${index}` }))
    const bad = [
      withResponse('deep', nested(185)),
      withResponse('deeper', nested(183)),
      withResponse('deepest', nested(250)),
      withResponse('nul', { 'secret\0key': 1 }),
      withResponse('deep-large', nested(100_000)),
      withResponse('large', 'x'.repeat(17_000_000)),
      withResponse('larger', 'é'.repeat(30_000_000)),
    ]
    const all = [...good.slice(0, 20), ...bad, ...good.slice(20)]
    const result = await put(...all)
    expect([...result.refused.keys()].toSorted()).toEqual(bad.map(({ _id }) => _id).toSorted())
    expect(result).toMatchObject({ inserted: 50, updated: 0, unchanged: 0 })
    expect(await collection.countDocuments({ _id: /^good-/ })).toBe(50)
    for (const message of result.refused.values()) expect(message).toMatch(/document/)
    expect([...result.refused.values()].join()).not.toMatch(/secret|xxx|ééé|a\.a/)
  })

  test('are told apart in updates too', async () => {
    const ids = ['u-1', 'u-deep', 'u-deeper', 'u-nul', 'u-2', 'u-late']
    await put(...ids.map((id) => documentOf({ id, at: 5 })))
    const newer = [
      documentOf({ id: 'u-1', at: 6 }),
      withResponse('u-deep', nested(185), 6),
      withResponse('u-deeper', nested(250), 6),
      withResponse('u-nul', { 'a\0': 1 }, 6),
      documentOf({ id: 'u-2', at: 6, kind: 'error' }),
      documentOf({ id: 'u-late', at: 1, arrived: 9 }),
    ]
    const result = await put(...newer)
    expect([...result.refused.keys()].toSorted()).toEqual(['u-deep', 'u-deeper', 'u-nul'])
    expect(result).toMatchObject({ inserted: 0, updated: 3, unchanged: 0 })
    expect((await stored(collection, 'u-deep'))?.response).toEqual({ at: 5 })
  })

  test('include an error that would not fit beside the success it keeps', async () => {
    const success = withResponse('grow', 'x'.repeat(9_000_000), 1)
    const failure = documentOf({ id: 'grow', at: 2, kind: 'error', content: { response: 'y'.repeat(9_000_000) } })
    await put(success)
    expect((await put(failure)).refused.get('grow')).toMatch(/16 MiB/)
    expect((await stored(collection, 'grow'))?.cache.order).toBe(success.cache.order)
  })
})

describe('large writes', () => {
  test('go out in several commands, by count', async () => {
    const documents = Array.from({ length: 5_200 }, (_, index) => documentOf({ id: `many-${index}` }))
    expect(await put(...documents)).toMatchObject({ inserted: 5_200 })
    expect(await put(...documents)).toMatchObject({ unchanged: 5_200 })
    expect(await collection.countDocuments({ _id: /^many-/ })).toBe(5_200)
  })

  test('and by bytes', async () => {
    const documents = [16_770_000, 9_000_000, 6_000_000, 2_000_000, 3_000, 8_000_000].map((bytes, index) =>
      withResponse(`big-${index}`, 'x'.repeat(bytes)),
    )
    expect(await put(...documents)).toMatchObject({ inserted: 6, refused: new Map() })
    const sizes = documents.map((document) => ({ ...document, card: 'c', cache: { ...document.cache, order: '9' } }))
    expect(await put(...sizes)).toMatchObject({ updated: 6, refused: new Map() })
  })
})

describe('what changes between the read and the write', () => {
  test('a document that TTL deleted meanwhile is inserted', async () => {
    const store = createStore(collection)
    const [held, replaced, merged] = ['ttl-1', 'ttl-2', 'ttl-3'].map((id) =>
      documentOf({ id, at: 3 }),
    ) as CacheDocument[]
    await put(held as CacheDocument, replaced as CacheDocument, merged as CacheDocument)
    const existing = await store.read(['ttl-1', 'ttl-2', 'ttl-3'])
    await collection.deleteMany({ _id: /^ttl-/ })
    const newer = [
      documentOf({ id: 'ttl-2', at: 4 }),
      documentOf({ id: 'ttl-3', at: 4, kind: 'error', content: { http_status: 500 } }),
    ]
    expect(await store.write(newer, existing)).toMatchObject({ inserted: 2, updated: 0, unchanged: 0 })
    expect(await stored(collection, 'ttl-3')).toEqual(newer[1])
    expect((await stored(collection, 'ttl-2'))?.cache).toEqual(newer[0]?.cache)
  })

  test('nor is a second copy lost whose document TTL deleted, and every count is right', async () => {
    const store = createStore(collection)
    const ids = Array.from({ length: 50 }, (_, index) => `copy-${index}`)
    await put(...ids.map((id) => documentOf({ id, at: 1 })))
    const existing = await store.read(ids)
    await collection.deleteOne({ _id: 'copy-7' })
    const copies = ids.map((id) => documentOf({ id, at: 1, arrived: 5 }))
    const kept = new Set(ids.filter((id) => id !== 'copy-7'))
    expect(await store.write(copies, existing)).toEqual({
      ...{ inserted: 1, updated: 49, unchanged: 0, kept },
      refused: new Map(),
    })
    expect(await stored(collection, 'copy-7')).toEqual(copies[7])
    expect(await stored(collection, 'copy-8')).toEqual({ ...copies[8], createdAt: documentOf({ at: 1 }).createdAt })
  })

  test('one lost race in many leaves every count right', async () => {
    const store = createStore(collection)
    const documents = Array.from({ length: 100 }, (_, index) => documentOf({ id: `race-${index}`, at: 1 }))
    await put(...documents)
    const existing = await store.read(documents.map(({ _id }) => _id))
    await put(documentOf({ id: 'race-7', at: 3 }), documentOf({ id: 'race-8', at: 2 }))
    const newer = documents.map(({ _id }) => documentOf({ id: _id, at: 2 }))
    expect(await store.write(newer, existing)).toEqual({
      inserted: 0,
      updated: 98,
      unchanged: 2,
      kept: expect.any(Set),
      refused: new Map(),
    })
    expect((await stored(collection, 'race-7'))?.response).toEqual({ at: 3 })
    expect(await store.write([...newer, documentOf({ id: 'race-new' })], new Map())).toMatchObject({
      inserted: 1,
      unchanged: 100,
    })
  })
})

describe('documents of an earlier application', () => {
  const createdAt = new Date(START - 1e9)
  const earlier = (id: string, content: object) =>
    mongo.client
      .db(mongo.database)
      .collection<{ _id: string }>(collection.collectionName)
      .insertOne({ _id: id, ...content })

  test('are older than any record, and keep their createdAt', async () => {
    await earlier('old-1', { card: 'c', http_status: 500, response: { a: 1 }, createdAt, updatedAt: createdAt, __v: 0 })
    const document = documentOf({ id: 'old-1' })
    expect(await put(document)).toMatchObject({ updated: 1 })
    expect(await stored(collection, 'old-1')).toEqual({ ...document, createdAt })
  })

  test('stay readable behind an error if they are a success', async () => {
    await earlier('old-2', {
      card: 'c',
      http_status: 200,
      response: { $a: 1 },
      createdAt,
      updatedAt: createdAt,
      __v: 0,
    })
    const failure = documentOf({ id: 'old-2', kind: 'error', content: { http_status: 500 } })
    const lastSuccess = { card: 'c', http_status: 200, response: { $a: 1 }, observedAt: createdAt, order: '' }
    const expected = { ...failure, createdAt, cache: { ...failure.cache, lastSuccess } }
    expect(await put(failure)).toMatchObject({ updated: 1 })
    expect(await stored(collection, 'old-2')).toEqual(expected)
    expect(await put(failure)).toMatchObject({ unchanged: 1 })
    const tombstone = documentOf({ id: 'old-2', at: -1, kind: 'tombstone' })
    await put(tombstone)
    expect((await stored(collection, 'old-2'))?.cache).not.toHaveProperty('lastSuccess')
  })

  test('may lack everything, or have failed', async () => {
    await earlier('old-3', {})
    await earlier('old-4', { http_status: 'ETIMEDOUT', createdAt })
    for (const id of ['old-3', 'old-4']) {
      const failure = documentOf({ id, kind: 'error', content: { http_status: 500 } })
      expect(await put(failure)).toMatchObject({ updated: 1 })
      expect(await stored(collection, id)).toEqual(merge(failure, id === 'old-3' ? failure : { ...failure, createdAt }))
    }
  })
})
