import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CacheDocument } from '../../../src/contract/document.ts'
import { changesNothing, type Existing, movesTimesOnly, replacementFor } from '../../../src/documents/guard.ts'
import { merge } from '../../../src/documents/merge.ts'
import { anyDocuments, documentOf, foldById } from '../../support/documents.ts'
import { createMemoryStore } from '../../support/memory-store.ts'

async function asRead(document: CacheDocument): Promise<Existing> {
  const store = createMemoryStore()
  await store.write([document], new Map())
  return (await store.read([document._id])).get(document._id) as Existing
}

const anyPair = anyDocuments(['e'], { minLength: 2, maxLength: 7 }).chain((documents) =>
  fc.integer({ min: 1, max: documents.length - 1 }).map((cut) => ({
    stored: foldById(documents.slice(0, cut))[0] as CacheDocument,
    // Some of what is stored comes again.
    coming: foldById(documents.slice(Math.max(0, cut - 1)))[0] as CacheDocument,
  })),
)

describe('what a projected read tells', () => {
  test('a document changes nothing exactly when its merge equals what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(anyPair, async ({ stored, coming }) => {
        const expected = isDeepStrictEqual(merge(stored, coming), stored)
        expect(changesNothing(coming, await asRead(stored))).toBe(expected)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a document that moves times only changes nothing else, also of what the stored one becomes', async () => {
    let moves = 0
    const withoutTimes = ({ createdAt, updatedAt, ...rest }: CacheDocument) => rest
    const property = async (
      { stored, coming }: { stored: CacheDocument; coming: CacheDocument },
      later: CacheDocument[],
    ) => {
      if (!movesTimesOnly(coming, await asRead(stored))) return
      moves += 1
      for (let i = 0; i <= later.length; i++) {
        const now = later.slice(0, i).reduce(merge, stored)
        expect(isDeepStrictEqual(withoutTimes(merge(now, coming)), withoutTimes(now))).toBe(true)
      }
    }
    const anyLater = anyDocuments(['e'], { minLength: 0, maxLength: 4 })
    await fc.assert(fc.asyncProperty(anyPair, anyLater, property), { numRuns: 1_000 })
    expect(moves).toBeGreaterThan(100)
  })

  test('a second copy that comes later moves times only', async () => {
    expect(movesTimesOnly(documentOf({ at: 1, arrived: 9 }), await asRead(documentOf({ at: 1, arrived: 2 })))).toBe(
      true,
    )
  })

  test('a replacement made without the stored content is the merge', async () => {
    let replacements = 0
    await fc.assert(
      fc.asyncProperty(anyPair, async ({ stored, coming }) => {
        const replacement = replacementFor(coming, await asRead(stored))
        if (replacement === undefined) return
        replacements += 1
        expect(isDeepStrictEqual(replacement, merge(stored, coming))).toBe(true)
      }),
      { numRuns: 1_000 },
    )
    expect(replacements).toBeGreaterThan(100)
  })

  test('a newer success over a success, and a second error, are replacements; an error over a success is not', async () => {
    const success = await asRead(documentOf({ at: 1 }))
    const failure = documentOf({ at: 2, kind: 'error' })
    expect(replacementFor(documentOf({ at: 2 }), success)).toBeDefined()
    expect(replacementFor(documentOf({ at: 3, kind: 'error' }), await asRead(failure))).toBeDefined()
    expect(replacementFor(failure, success)).toBeUndefined()
  })

  test('a document of an earlier application is always for the server to merge', () => {
    const earlier: Existing = { _id: 'event-1', createdAt: new Date(0), updatedAt: new Date() }
    expect(changesNothing(documentOf({}), earlier)).toBe(false)
    expect(replacementFor(documentOf({}), earlier)).toBeUndefined()
  })
})
