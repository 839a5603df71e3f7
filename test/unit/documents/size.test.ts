import { describe, expect, test } from '@jest/globals'
import { packs } from '../../../src/documents/size.ts'

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
