import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CacheDocument } from '../../src/contract/document.ts'
import { merge } from '../../src/documents/merge.ts'
import type { DocumentStore, WriteResult } from '../../src/documents/store.ts'
import { anyDocuments, documentOf, foldById } from './documents.ts'

export interface StoreUnderTest extends AsyncDisposable {
  store: DocumentStore
  stored(id: string): Promise<CacheDocument | undefined>
}

const UNSEEN = new Map()
const HOSTILE = JSON.parse(
  '{"$ref":"$card","$set":{"$literal":"$$ROOT"},"a.b":[{"$$new":1}],"":{"":null},"__proto__":{"x":"$$REMOVE"},"_id":7,"constructor":[{}],"big":0}',
)
HOSTILE.big = 9_007_199_254_740_993n

let lastId = 0
const freshId = () => `event-${++lastId}`

/** What every document store does, told of an open one. Each test has ids of its own. */
export function storeConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  let opened: StoreUnderTest
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(async () => opened[Symbol.asyncDispose]())

  const put = async (...documents: CacheDocument[]) =>
    opened.store.write(documents, await opened.store.read(documents.map(({ _id }) => _id)))
  /** Writes one after the other, each with a read before it. */
  const putEach = async (...documents: CacheDocument[]) => {
    const results: WriteResult[] = []
    for (const document of documents) results.push(await put(document))
    return results
  }
  const expectStored = async (expected: CacheDocument) => expectSame(await opened.stored(expected._id), expected)

  describe(`${name}: a write`, () => {
    test('inserts what is new, and a read shows what decides on the next write', async () => {
      const document = documentOf({ id: freshId() })
      expect(await put(document)).toEqual(counted({ inserted: 1 }))
      await expectStored(document)
      const { _id, createdAt, updatedAt, cache } = document
      const seen = { _id, createdAt, updatedAt, cache: { kind: cache.kind, order: cache.order } }
      expect(await opened.store.read([_id, 'nobody', _id])).toEqual(new Map([[_id, seen]]))
    })

    test('counts a repeated document as unchanged', async () => {
      const document = documentOf({ id: freshId() })
      expect(await putEach(document, document)).toEqual([counted({ inserted: 1 }), counted({ unchanged: 1 })])
      await expectStored(document)
    })

    test('lets the newest record win, whichever comes last', async () => {
      const [id, other] = [freshId(), freshId()]
      const older = { at: 1, arrived: 1 }
      const newer = { at: 2, arrived: 1, status: 'finished' }
      const rising = await putEach(documentOf({ id, ...older }), documentOf({ id, ...newer }))
      expect(rising).toEqual([counted({ inserted: 1 }), counted({ updated: 1 })])
      const falling = await putEach(documentOf({ id: other, ...newer }), documentOf({ id: other, ...older }))
      expect(falling).toEqual([counted({ inserted: 1 }), counted({ unchanged: 1 })])
      await expectStored(documentOf({ id, ...newer }))
      await expectStored(documentOf({ id: other, ...newer }))
      const kept = [...rising, ...falling].map((result) => [...result.kept])
      expect(kept).toEqual([[], [], [], [other]])
    })

    test('keeps the earliest createdAt and the latest updatedAt of a late record', async () => {
      const id = freshId()
      const held = documentOf({ id, at: 50, arrived: 60 })
      const late = documentOf({ id, at: 10, arrived: 90 })
      const results = await putEach(held, late)
      expect(results).toEqual([counted({ inserted: 1 }), counted({ updated: 1 })])
      expect(results[1]?.kept).toEqual(new Set([id]))
      await expectStored({ ...held, updatedAt: late.updatedAt })
    })

    test('keeps the newest success behind an error, also one that comes late', async () => {
      const id = freshId()
      const documents = [
        documentOf({ id, at: 1, content: { card: 'a', http_status: 200, response: 1, payload: null } }),
        documentOf({ id, at: 9, kind: 'error', content: { http_status: 'ETIMEDOUT' } }),
        documentOf({ id, at: 5, content: { http_status: 204, user_id: 12 } }),
      ]
      await putEach(...documents)
      await expectStored(documents.reduce(merge))
      expect((await opened.stored(id))?.cache.lastSuccess).toMatchObject({ http_status: 204, user_id: 12 })
    })

    test('erases a person, and nothing older comes back', async () => {
      const id = freshId()
      const before = documentOf({ id, at: 1, content: { card: 'a', http_status: 200, payload: 'p', user_id: 1 } })
      const failure = documentOf({ id, at: 8, kind: 'error', content: { http_status: 503 } })
      const tombstone = documentOf({ id, at: 5, kind: 'tombstone' })
      await putEach(before, failure, tombstone, before, documentOf({ id, at: 4 }))
      const left = (await opened.stored(id)) as CacheDocument
      expect(left.cache).not.toHaveProperty('lastSuccess')
      expect(left.cache.erased).toBe(tombstone.cache.order)
      await put(documentOf({ id, at: 9, kind: 'tombstone' }))
      const gone = (await opened.stored(id)) as CacheDocument
      expect(Object.keys(gone)).toEqual(['_id', 'http_status', 'createdAt', 'updatedAt', 'cache'])
    })

    test('gives the same whatever it was told of what exists', async () => {
      const id = freshId()
      const documents = [3, 1, 2, 5, 4].map((at) =>
        documentOf({ id, at, kind: at > 3 ? 'error' : 'session', content: { http_status: at, response: { at } } }),
      )
      const [first, ...rest] = documents as [CacheDocument, ...CacheDocument[]]
      await put(first)
      const stale = await opened.store.read([id])
      const results: WriteResult[] = []
      for (const [index, document] of rest.entries()) {
        results.push(await opened.store.write([document], index % 2 === 0 ? UNSEEN : stale))
      }
      const [updated, unchanged] = [counted({ updated: 1 }), counted({ unchanged: 1 })]
      expect(results).toEqual([updated, unchanged, updated, unchanged])
      expect(await opened.store.write([first], UNSEEN)).toEqual(counted({ unchanged: 1 }))
      await expectStored(documents.reduce(merge))
    })

    test('keeps a late success that another writer stored since the read', async () => {
      const id = freshId()
      const [failed, again] = [5, 6].map((at) =>
        documentOf({ id, at, arrived: 6, kind: 'error', content: { http_status: 500 } }),
      ) as [CacheDocument, CacheDocument]
      const success = documentOf({ id, at: 1, arrived: 6 })
      await put(failed)
      const stale = await opened.store.read([id])
      await put(success)
      expect(await opened.store.write([again], stale)).toEqual(counted({ updated: 1 }))
      await expectStored([failed, success, again].reduce(merge))
    })

    test('keeps every key and value as it came: inserted, replaced, merged and behind an error', async () => {
      const id = freshId()
      const content = {
        card: null,
        http_status: 200,
        response: HOSTILE,
        payload: [HOSTILE, '$response'],
        user_id: HOSTILE,
      }
      const documents = [1, 2].map((at) => documentOf({ id, at, content }))
      for (const document of documents) {
        await put(document)
        await expectStored({ ...document, createdAt: (documents[0] as CacheDocument).createdAt })
      }
      const failure = documentOf({ id, at: 3, kind: 'error', content: { http_status: 500, response: HOSTILE } })
      await opened.store.write([failure], UNSEEN)
      await expectStored([...documents, failure].reduce(merge))
    })

    test('counts each document of a mixed write', async () => {
      const ids = [freshId(), freshId(), freshId(), freshId()] as const
      await put(...ids.slice(1).map((id) => documentOf({ id, at: 5 })))
      const result = await put(
        documentOf({ id: ids[0] }),
        documentOf({ id: ids[1], at: 6 }),
        documentOf({ id: ids[2], at: 6, kind: 'error' }),
        documentOf({ id: ids[3], at: 5 }),
      )
      expect(result).toEqual(counted({ inserted: 1, updated: 2, unchanged: 1 }))
    })

    test('of nothing does nothing', async () => {
      expect(await put()).toEqual(counted({}))
    })
  })

  describe(`${name}: any records`, () => {
    test('come to the same documents, from any number of writers at once, in any order and split', async () => {
      await fc.assert(
        fc.asyncProperty(
          anyDocuments(['a', 'b', 'c', 'd'], { maxLength: 24 }),
          fc.infiniteStream(fc.nat()),
          (notes, random) => writersConverge(opened, withFreshIds(notes), () => random.next().value as number),
        ),
        { numRuns: 60 },
      )
    })
  })
}

function withFreshIds(documents: CacheDocument[]): CacheDocument[] {
  const ids = new Map<string, string>()
  return documents.map((document) => {
    const id = ids.get(document._id) ?? freshId()
    ids.set(document._id, id)
    return { ...document, _id: id }
  })
}

/** Four writers, each with half of the records or more, each in an order and in chunks of its own. */
async function writersConverge({ store, stored }: StoreUnderTest, documents: CacheDocument[], random: () => number) {
  const writers = [0, 1, 2, 3].map(async (writer) => {
    const mine = shuffled(
      documents.filter((_, index) => index % 4 === writer || random() % 3 > 0),
      random,
    )
    const totals = { inserted: 0, documents: 0, counted: 0 }
    while (mine.length > 0) {
      const chunk = foldById(mine.splice(0, 1 + (random() % 6)))
      const existing = random() % 4 === 0 ? UNSEEN : await store.read(chunk.map(({ _id }) => _id))
      const result = await store.write(chunk, existing)
      totals.inserted += result.inserted
      totals.documents += chunk.length
      totals.counted += result.inserted + result.updated + result.unchanged + result.refused.size
    }
    return totals
  })
  const totals = await Promise.all(writers)
  const expected = foldById(documents)
  for (const document of expected) expectSame(await stored(document._id), document)
  expect(totals.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(expected.length)
  for (const each of totals) expect(each.counted).toBe(each.documents)
}

function shuffled<T>(items: T[], random: () => number): T[] {
  const rest = [...items]
  return items.map(() => rest.splice(random() % rest.length, 1)[0] as T)
}

/** Equal by value, own `__proto__` keys and key order included. */
function expectSame(actual: unknown, expected: CacheDocument): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
  expect(isDeepStrictEqual(actual, expected)).toBe(true)
  expect(keysOf(actual)).toEqual(keysOf(expected))
}

function keysOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).map(([key, nested]) => [key, keysOf(nested)])
}

function counted(counts: Partial<WriteResult>) {
  return { inserted: 0, updated: 0, unchanged: 0, kept: expect.any(Set), refused: new Map(), ...counts }
}
