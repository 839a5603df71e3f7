import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { distance, earliest, isWithin, latest, positionOf, positionText } from '../../../../src/serve/live/position.ts'

const positions = fc.array(fc.nat(Number.MAX_SAFE_INTEGER), { minLength: 1, maxLength: 20 })

describe('a position', () => {
  test('is read as it was written', () => {
    fc.assert(fc.property(positions, (position) => expect(positionOf(positionText(position))).toEqual(position)))
  })

  test('has a text also where no partition was seen, which says the same', () => {
    expect(isWithin(positionOf(positionText([])) ?? [1], [])).toBe(true)
  })

  test.each(['', '.', '1.', '.1', '1..2', '1,2', 'A', '-1', '1 ', ' 1', '1\n', '1.2.x!', 'é', '1'.repeat(14)])(
    'is not %j',
    (text) => expect(positionOf(text)).toBeNull(),
  )

  test('that no log reaches is read, and lies beyond every end', () => {
    const far = positionOf('zzzzzzzzzzzzz') ?? []
    expect(isWithin(far, [Number.MAX_SAFE_INTEGER])).toBe(false)
  })

  test('counts partitions that it does not name as not begun', () => {
    expect(isWithin([5], [5, 7])).toBe(true)
    expect(isWithin([5, 0], [5])).toBe(true)
    expect(isWithin([5, 1], [5])).toBe(false)
  })

  test('lies between the earliest and the latest of any', () => {
    const property = (a: number[], b: number[]) => {
      for (const one of [a, b]) {
        expect(isWithin(earliest(a, b), one)).toBe(true)
        expect(isWithin(one, latest(a, b))).toBe(true)
      }
      expect(distance(a, b)).toBe(distance(b, a))
      expect(distance(a, a)).toBe(0)
    }
    fc.assert(fc.property(positions, positions, property))
  })
})
