import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BSON } from 'mongodb'
import type { Json } from '../../../src/contract/record.ts'
import { packs, sizeOf } from '../../../src/documents/size.ts'
import { anyDocuments, documentOf } from '../../support/documents.ts'

describe('the size of a document', () => {
  test('is never estimated below its size in BSON', () => {
    fc.assert(
      fc.property(anyDocuments(['e'], { maxLength: 1 }), ([document]) => {
        const exact = BSON.calculateObjectSize(document as object, { ignoreUndefined: true })
        expect(sizeOf(document as never)).toBeGreaterThanOrEqual(exact)
      }),
      { numRuns: 1_000 },
    )
  })

  test.each(['€', '😀', 'é', 'a', '\u0000'])('allows for the bytes of %j, in texts and keys', (character) => {
    const text = character.repeat(10_000)
    const key = text.replaceAll('\u0000', 'k')
    const document = documentOf({ content: { card: text, response: { [key]: text } } })
    expect(sizeOf(document)).toBeGreaterThanOrEqual(BSON.calculateObjectSize(document))
  })

  test('is infinite when nested deeper than MongoDB stores', () => {
    const nested = (levels: number): Json => (levels === 0 ? 1 : { a: nested(levels - 1) })
    expect(sizeOf(documentOf({ content: { response: nested(178) } }))).toBeLessThan(5_000)
    expect(sizeOf(documentOf({ content: { response: nested(190) } }))).toBe(Number.POSITIVE_INFINITY)
  })

  test('is exact for a large one', () => {
    const document = documentOf({
      content: { response: { text: 'x'.repeat(2_000_000), list: Array(1_000).fill(1.5) } },
    })
    expect(sizeOf(document)).toBe(BSON.calculateObjectSize(document))
  })
})

describe('cutting into commands', () => {
  test('keeps the order and loses nothing', () => {
    const items = Array.from({ length: 12_345 }, (_, index) => ({ index, bytes: 100 }))
    const cut = [...packs(items)]
    expect(cut.map(({ length }) => length)).toEqual([5_000, 5_000, 2_345])
    expect(cut.flat()).toEqual(items)
  })

  test('keeps a command under 16 MB, a larger item alone in its own', () => {
    const bytes = [9e6, 6e6, 2e6, 16.7e6, 1].map((size) => ({ bytes: size }))
    expect([...packs(bytes)].map((pack) => pack.map((item) => item.bytes))).toEqual([[9e6, 6e6], [2e6], [16.7e6], [1]])
  })
})
