import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { orderOf, tombstoneOrder } from '../../../src/contract/order.ts'

const source = { topic: 'parkmobile.events', partition: 3, offset: '42' }
const at = Date.UTC(2026, 4, 1)

const anyText = fc.oneof(
  fc.constantFrom('', '~', ' ', '%', 'a', 'a b', 'é', '\ud800', '￿', '😀'),
  fc.string({ unit: 'binary' }),
)
const anySource = fc.record({
  topic: fc.constantFrom('a', 'a-b', 'a.b', 'ab'),
  partition: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
})
const anyTime = fc.integer({ min: 0, max: 999_999_999_999_999 })

describe('an order key', () => {
  test('puts the later observed time after the earlier one, whatever the words', () => {
    expect(orderOf(9, 'finished', source) < orderOf(10, 'alerted', source)).toBe(true)
    expect(orderOf(at, 'zzz', source) < orderOf(at + 1, null, source)).toBe(true)
  })

  test('puts an absent word first, a word before its extensions, and a tombstone last', () => {
    const rising = [null, 'on', 'on going', 'on-going', 'ongoing', '}}}'].map((word) => orderOf(at, word, source))
    expect([...rising, tombstoneOrder(at, source)].toSorted()).toEqual([...rising, tombstoneOrder(at, source)])
  })

  test('falls back on topic, partition and offset, as numbers', () => {
    const positions = [
      { topic: 'a', partition: 2, offset: '9' },
      { topic: 'a', partition: 2, offset: '10' },
      { topic: 'a', partition: 10, offset: '0' },
      { topic: 'a-b', partition: 0, offset: '0' },
    ]
    const rising = positions.map((position) => orderOf(at, 'x', position))
    expect(rising.toSorted()).toEqual(rising)
  })

  test('holds printable ASCII alone, so that UTF-16 units and UTF-8 bytes compare alike', () => {
    fc.assert(
      fc.property(anyTime, anyText, anySource, (time, word, position) => {
        expect(orderOf(time, word, position)).toMatch(/^\d{15} [!-}]* [!-}]+ \d{10} \d{19}$/)
      }),
    )
  })

  test('differs whenever time, word or source differs', () => {
    const anyPlace = fc.tuple(anyTime, anyText, anySource)
    fc.assert(
      fc.property(anyPlace, anyPlace, (a, b) => {
        const same =
          a[0] === b[0] && a[1].toWellFormed() === b[1].toWellFormed() && fc.stringify(a[2]) === fc.stringify(b[2])
        expect(orderOf(...a) === orderOf(...b)).toBe(same)
      }),
    )
  })

  test('lets no word outrank a tombstone of the same time', () => {
    fc.assert(
      fc.property(anyTime, anyText, anySource, anySource, (time, word, a, b) => {
        expect(orderOf(time, word, a) < tombstoneOrder(time, b)).toBe(true)
      }),
    )
  })

  test('sorts a time before 1970 as 1970, and refuses what is no time', () => {
    expect(orderOf(-5, 'x', source)).toBe(orderOf(0, 'x', source))
    expect(() => orderOf(Number.NaN, 'x', source)).toThrow('observed time')
  })
})
