import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CacheDocument, LastSuccess } from '../../../src/contract/document.ts'
import { merge } from '../../../src/documents/merge.ts'
import { anyDocuments, documentOf, foldById, START } from '../../support/documents.ts'

const success = documentOf({ at: 10, content: { card: 'c', http_status: 200, response: { ok: true } } })
const failure = documentOf({ at: 20, kind: 'error', status: '500', content: { http_status: 500, response: null } })
const tombstone = documentOf({ at: 15, kind: 'tombstone' })

describe('merging two documents of one id', () => {
  test('the newer one gives the content', () => {
    const newer = documentOf({ at: 20, status: 'finished', content: { http_status: 200 } })
    const merged = merge(newer, success)
    expect(merged).toStrictEqual({ ...newer, createdAt: success.createdAt })
    expect('response' in merged).toBe(false)
  })

  test('the newest success stays readable behind a newer error', () => {
    const merged = merge(success, failure)
    expect(merged.http_status).toBe(500)
    expect(merged.response).toBeNull()
    expect(merged.cache.lastSuccess).toStrictEqual({
      card: 'c',
      http_status: 200,
      response: { ok: true },
      observedAt: success.cache.observedAt,
      order: success.cache.order,
    })
  })

  test('a success between two errors becomes the last success, an older one does not', () => {
    const between = documentOf({ at: 15, content: { http_status: 200, response: 'between' } })
    const merged = [success, failure, between, documentOf({ at: 5 })].reduce(merge)
    expect(merged.cache.lastSuccess?.response).toBe('between')
  })

  test('a success that takes the document over needs no last success', () => {
    expect(merge(merge(success, failure), documentOf({ at: 30 })).cache).not.toHaveProperty('lastSuccess')
  })

  test('a tombstone erases all that is older, also when that comes later', () => {
    const erased = merge(tombstone, success)
    expect(erased).toStrictEqual({ ...tombstone, createdAt: success.createdAt })
    expect(Object.keys(erased)).toEqual(['_id', 'http_status', 'createdAt', 'updatedAt', 'cache'])
    expect(merge(merge(success, failure), tombstone).cache).not.toHaveProperty('lastSuccess')
    expect(merge(merge(tombstone, failure), success).cache).not.toHaveProperty('lastSuccess')
  })

  test('a record newer than the tombstone takes over and remembers what was erased', () => {
    expect(merge(tombstone, failure).cache.erased).toBe(tombstone.cache.order)
    const afterwards = documentOf({ at: 16, content: { http_status: 200, response: 'new' } })
    expect([tombstone, failure, success, afterwards].reduce(merge).cache.lastSuccess?.response).toBe('new')
  })

  test('a tombstone wins over every record of the same time', () => {
    expect(merge(tombstone, documentOf({ at: 15, status: '~~~' })).http_status).toBe(410)
  })

  test('createdAt is the earliest arrival, updatedAt the latest, whoever holds the document', () => {
    const merged = merge(documentOf({ at: 9, arrived: 10 }), documentOf({ at: 8, arrived: 70 }))
    expect(merged.createdAt).toEqual(new Date(START + 10_000))
    expect(merged.updatedAt).toEqual(new Date(START + 70_000))
    expect(merged.cache.observedAt).toEqual(new Date(START + 9_000))
  })

  test('changes neither of the two', () => {
    const before = structuredClone([success, failure])
    merge(success, failure)
    expect([success, failure]).toStrictEqual(before)
  })
})

describe('the merge of any records', () => {
  test('is what the rules say of the whole set, in any order, split and repetition', () => {
    fc.assert(
      fc.property(anyDocuments(['e'], { maxLength: 8 }), fc.infiniteStream(fc.nat()), (documents, random) => {
        const expected = expectedOf(documents)
        const pool = [...documents, ...documents.filter((_, index) => index % 2 === 0)]
        expect(isDeepStrictEqual(mergedAtRandom(pool, random), expected)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test('is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(
        anyDocuments(['e'], { minLength: 3, maxLength: 9 }),
        fc.infiniteStream(fc.nat(6)),
        (documents, parts) => {
          const [a, b, c] = threeParts(documents, parts).map(joined) as [CacheDocument, CacheDocument, CacheDocument]
          expect(isDeepStrictEqual(merge(a, b), merge(b, a))).toBe(true)
          expect(isDeepStrictEqual(merge(merge(a, b), c), merge(a, merge(b, c)))).toBe(true)
          expect(isDeepStrictEqual(merge(a, a), a)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('folds a chunk to one document per id', () => {
    fc.assert(
      fc.property(anyDocuments(['a', 'b', 'c'], { maxLength: 12 }), (documents) => {
        const folded = foldById(documents)
        for (const [id, own] of Map.groupBy(documents, ({ _id }) => _id)) {
          expect(folded.filter(({ _id }) => _id === id)).toHaveLength(1)
          expect(
            isDeepStrictEqual(
              folded.find(({ _id }) => _id === id),
              expectedOf(own),
            ),
          ).toBe(true)
        }
      }),
    )
  })
})

function joined(documents: CacheDocument[]): CacheDocument {
  return documents.reduce(merge)
}

/** Three parts, none empty, that may have records in common: bit n of a random number puts a record into part n. */
function threeParts(documents: CacheDocument[], random: Iterable<number> & Iterator<number>): CacheDocument[][] {
  const parts: CacheDocument[][] = documents.slice(0, 3).map((document) => [document])
  for (const document of documents.slice(3)) {
    const bits = (random.next().value as number) + 1
    for (const [index, part] of parts.entries()) if (bits & (1 << index)) part.push(document)
  }
  return parts
}

/** Merges any two until one is left: every order and every split. */
function mergedAtRandom(documents: CacheDocument[], random: Iterable<number> & Iterator<number>): CacheDocument {
  const pool = [...documents]
  const take = () => pool.splice((random.next().value as number) % pool.length, 1)[0] as CacheDocument
  while (pool.length > 1) pool.push(merge(take(), take()))
  return pool[0] as CacheDocument
}

/** The rules, said of the set of records at once. */
function expectedOf(records: CacheDocument[]): CacheDocument {
  const rising = records.toSorted((a, b) => (a.cache.order < b.cache.order ? -1 : 1))
  const holder = rising.at(-1) as CacheDocument
  const erasedAt = rising.findLastIndex(({ cache }) => cache.kind === 'tombstone')
  const kept = rising.slice(erasedAt + 1).findLast(({ cache }) => cache.kind !== 'error')
  const arrivals = records.map(({ createdAt }) => createdAt.getTime())
  const expected: CacheDocument = {
    ...holder,
    createdAt: new Date(Math.min(...arrivals)),
    updatedAt: new Date(Math.max(...arrivals)),
    cache: { ...holder.cache },
  }
  if (holder.cache.kind === 'error' && kept !== undefined) {
    const { _id, createdAt, updatedAt, cache, ...content } = kept
    expected.cache.lastSuccess = { ...content, observedAt: cache.observedAt, order: cache.order } as LastSuccess
  }
  if (erasedAt >= 0 && holder.cache.kind !== 'tombstone') {
    expected.cache.erased = (rising[erasedAt] as CacheDocument).cache.order
  }
  return expected
}
