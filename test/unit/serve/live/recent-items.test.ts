import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Item } from '../../../../src/serve/live/item.ts'
import { createRecentItems } from '../../../../src/serve/live/recent-items.ts'
import { itemAt } from './stream-model.ts'

const placesOf = (items: readonly Item[] | null) => items?.map(({ partition, offset }) => `${partition}/${offset}`)

describe('recent items', () => {
  test('are all from a position on, or it says that some may be forgotten; as many as promised never are', () => {
    const steps = fc.array(fc.record({ partition: fc.nat(2), gaps: fc.array(fc.nat(3), { maxLength: 6 }) }), {
      ...{ maxLength: 40, size: 'max' as const },
    })
    const property = (all: { partition: number; gaps: number[] }[], most: number, at: number[]) => {
      const recent = createRecentItems(most)
      const log: Item[][] = [[], [], []]
      const next = [0, 0, 0]
      for (const { partition, gaps } of all) {
        const items = gaps.map((gap) => {
          const offset = (next[partition] as number) + gap
          next[partition] = offset + 1
          return itemAt(partition, offset)
        })
        log[partition]?.push(...items)
        recent.add(partition, items)
      }
      const expected = log.flatMap((items, p) => items.filter(({ offset }) => offset >= (at[p] ?? 0)))
      const found = recent.since(at)
      if (found !== null) expect(placesOf(found)).toEqual(placesOf(expected))
      const isLong = log.some((items, p) => items.filter(({ offset }) => offset >= (at[p] ?? 0)).length > most / 2)
      if (!isLong) expect(found).not.toBeNull()
    }
    const position = fc.array(fc.nat(80), { maxLength: 3 })
    fc.assert(fc.property(steps, fc.integer({ min: 2, max: 20 }), position, property), { numRuns: 500 })
  })

  test('are no more than promised', () => {
    const recent = createRecentItems(10)
    for (let offset = 0; offset < 100; offset++) {
      recent.add(0, [itemAt(0, offset)])
      const kept = Array.from({ length: offset + 1 }, (_, at) => recent.since([at])).filter((found) => found !== null)
      expect(kept[0]?.length).toBeLessThanOrEqual(10)
      expect(kept[0]?.length).toBeGreaterThanOrEqual(Math.min(5, offset + 1))
    }
  })

  test('begin where they are told, also anew', () => {
    const recent = createRecentItems(10)
    recent.begin(1, 50)
    expect(recent.since([0, 49])).toBeNull()
    expect(recent.since([0, 50])).toEqual([])
    recent.add(1, [itemAt(1, 52)])
    expect(placesOf(recent.since([0, 51]))).toEqual(['1/52'])
    recent.begin(1, 60)
    expect(recent.since([0, 52])).toBeNull()
    expect(recent.since([0, 60])).toEqual([])
  })

  test('that are large are kept in lesser numbers', () => {
    const recent = createRecentItems(1_000, 10_000)
    for (let offset = 0; offset < 100; offset++) recent.add(0, [{ ...itemAt(0, offset), json: 'x'.repeat(1_000) }])
    expect(recent.since([85])).toBeNull()
    expect(recent.since([97])).toHaveLength(3)
  })
})
