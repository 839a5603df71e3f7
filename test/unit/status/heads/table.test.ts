import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createTable, hashOf } from '../../../../src/status/heads/table.ts'

/** Few hashes and many keys, so that runs of slots are long, wrap around, and hold several of one hash. */
const hash = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1),
  fc.integer({ min: 2 ** 32 - 2 ** 29, max: 2 ** 32 - 1 }),
)
const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'set', 'remove'), fc.nat({ max: 300 }), hash), {
  minLength: 600,
  maxLength: 1_200,
})

test('a table is what a plain map would be, whatever is set and removed, also when it is loaded again', () => {
  const property = (all: [string, number, number][]) => {
    let table = createTable()
    /** By key: its hash and address. A key's address tells which key it is. */
    const plain = new Map<number, { hash: number; address: number }>()
    const slotOf = (key: number) => {
      const at = plain.get(key)
      return at ? table.find(at.hash, (address) => address === at.address) : -1
    }
    all.forEach(([what, key, keyHash], step) => {
      const slot = slotOf(key)
      expect(slot >= 0).toBe(plain.has(key))
      if (what === 'set') {
        const entry = { hash: plain.get(key)?.hash ?? keyHash, address: step + 1 }
        table.set(slot, entry.hash, entry.address, step)
        plain.set(key, entry)
      } else if (slot >= 0) {
        table.remove(slot)
        plain.delete(key)
      }
      if (step % 500 === 0) table = createTable(table.slots.slice())
      expect(table.size).toBe(plain.size)
    })
    for (const key of plain.keys()) expect(slotOf(key)).toBeGreaterThanOrEqual(0)
    expect(table.before(2 ** 32 - 1, 1).toSorted()).toEqual(
      [...plain.values()].map(({ address }) => address).toSorted(),
    )
  }
  fc.assert(fc.property(steps, property), { numRuns: 30 })
})

test('a hash depends on each byte and on the seed, and spreads well', () => {
  const counts = new Array<number>(64).fill(0)
  for (let i = 0; i < 6_400; i++) {
    const key = Buffer.from(`session ${i}`)
    const bucket = hashOf(key, 0, key.length, 7) >>> 26
    counts[bucket] = (counts[bucket] as number) + 1
  }
  expect(Math.min(...counts)).toBeGreaterThan(50)
  expect(Math.max(...counts)).toBeLessThan(160)
  const one = Buffer.from('session 1')
  expect(hashOf(one, 0, 9, 7)).not.toBe(hashOf(one, 0, 9, 8))
  expect(hashOf(one, 0, 9, 7)).not.toBe(hashOf(one, 0, 8, 7))
})
