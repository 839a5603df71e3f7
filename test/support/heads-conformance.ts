import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Head } from '../../src/status/fold.ts'
import type { Heads } from '../../src/status/heads/heads.ts'
import { head, mark, START } from './heads-example.ts'

const word = fc.oneof(
  fc.constantFrom('on-going', 'finished', '404', 'x', '', 'ünïcode ☂', '\ud800 half a pair'),
  fc.string({ maxLength: 12 }),
)
const text = fc.oneof({ weight: 3, arbitrary: fc.uuid() }, word, fc.constant('E'.repeat(1_024)))
const time = fc.oneof(
  { weight: 4, arbitrary: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()) },
  fc.constantFrom('2026-02-30T00:00:00.000Z', '2026-06-01T10:00:00Z', '2026-06-01T24:00:00.000Z', 'yesterday', ''),
)
const state = fc.record({ status: word, occurred_at: time, event_id: text })
const kind = fc.constantFrom('session', 'payment', 'error', 'status', 'a later kind')
const anyHead: fc.Arbitrary<Head> = fc.record({
  revision: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  state: fc.dictionary(kind, state, { minKeys: 1, noNullPrototype: true }),
})
export const anyKey = fc.oneof(fc.constantFrom('A', 'B', 'C', '☂', 'K'.repeat(1_024)), fc.integer().map(String))
export const anyChanges = fc.array(fc.tuple(anyKey, fc.option(anyHead)), { maxLength: 20 })

/** All that `due` gives in one round. */
export function allDue(heads: Heads, before: number): Set<string> {
  const due = new Set<string>()
  for (let slice = 0; slice < 10; slice++) for (const key of heads.due(before, 5)) due.add(key)
  return due
}

/** What holds for heads, wherever they are kept. `open` gives empty ones. */
export function describeHeads(name: string, open: () => Heads): void {
  describe(`heads ${name}`, () => {
    test('begin empty and without a mark', () => {
      const heads = open()
      expect([heads.size, heads.mark, heads.get('A')]).toEqual([0, null, undefined])
      heads.close()
    })

    test('give back the latest head of each key, and nothing for others', () => {
      const heads = open()
      heads.put([['A', head(1)], ['B', head(1, 5)], ['A', head(2, 6)]], mark(3)) // biome-ignore format: one chunk
      expect(heads.get('A')).toEqual(head(2, 6))
      expect(heads.get('B')).toEqual(head(1, 5))
      expect(heads.get('C')).toBeUndefined()
      expect([heads.size, heads.mark]).toEqual([2, mark(3)])
      heads.close()
    })

    test('forget a key that ended, which may begin anew', () => {
      const heads = open()
      heads.put([['A', head(7)], ['A', null], ['never there', null]], mark(3)) // biome-ignore format: one chunk
      expect([heads.get('A'), heads.size]).toEqual([undefined, 0])
      heads.put([['A', head(1)]], mark(4))
      expect([heads.get('A'), heads.size]).toEqual([head(1), 1])
      heads.close()
    })

    test('keep their mark when it is not known how far a change reaches', () => {
      const heads = open()
      heads.put([['A', head(1)]], mark(3))
      heads.put([['A', null]], null)
      expect(heads.mark).toEqual(mark(3))
      heads.close()
    })

    test('find what is due: all kinds older, going round and round in slices', () => {
      const heads = open()
      const both = head(2, 60)
      both.state.payment = { status: 'captured', occurred_at: new Date(START).toISOString(), event_id: 'p' }
      const keys = Array.from({ length: 30 }, (_, i) => `old ${i}`)
      heads.put([['new', head(1, 60)], ['both', both], ['unreadable', head(1, 0, { occurred_at: 'soon' })]], null) // biome-ignore format: one chunk
      heads.put(
        keys.map((key) => [key, head(1)]),
        mark(9),
      )
      expect(allDue(heads, START)).toEqual(new Set())
      expect(allDue(heads, START + 1_000)).toEqual(new Set(keys))
      heads.put(
        keys.map((key) => [key, null]),
        null,
      )
      expect(allDue(heads, START + 1_000)).toEqual(new Set())
      heads.close()
    })

    test('are what a plain map would be, whatever is put', () => {
      const property = (puts: [string, Head | null][][]) => {
        const heads = open()
        const plain = new Map<string, Head>()
        for (const changes of puts) {
          heads.put(changes, null)
          for (const [key, value] of changes) value === null ? plain.delete(key) : plain.set(key, value)
          for (const [key] of changes) expect(heads.get(key)).toEqual(plain.get(key))
        }
        expect(heads.size).toBe(plain.size)
        heads.close()
      }
      fc.assert(fc.property(fc.array(anyChanges, { maxLength: 8 }), property), { numRuns: 40 })
    })
  })
}
