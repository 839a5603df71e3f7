import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Answer, subjectOfEvent } from '../../../../src/serve/cache/answer.ts'
import { createReadThrough, type Loaded, type ReadThrough } from '../../../../src/serve/cache/read-through.ts'

let opened: ReadThrough[] = []
afterEach(() => {
  for (const one of opened) one.close()
  opened = []
})

/** A cache on a clock of its own, before a store that answers when it is told to. */
function bench({ mostBytes = 1_000_000, isTold = true } = {}) {
  const clock = { now: 1_000_000 }
  const told = { isTold }
  const cache = createReadThrough({
    mostBytes,
    isTold: () => told.isTold,
    onEvicted: () => {},
    now: () => clock.now,
  })
  opened.push(cache)
  const loads: string[] = []
  const stored = new Map<string, number>()
  let isAway = false
  const event = (id: string) =>
    cache.look({
      key: subjectOfEvent(id),
      subjects: [subjectOfEvent(id)],
      load: async () => {
        loads.push(id)
        await null
        if (isAway) throw new Error('away')
        return loaded([id], stored)
      },
    })
  return { cache, clock, told, loads, stored, event, away: (is: boolean) => (isAway = is) }
}

function loaded(ids: string[], stored: ReadonlyMap<string, number>): Loaded {
  const there = ids.filter((id) => stored.has(id))
  const json = there.map((id) => `{"_id":"${id}","v":${stored.get(id)}}`)
  let end = -1
  const parts = there.map((id, i) => {
    end += 1 + (json[i]?.length ?? 0)
    return {
      id,
      version: String(stored.get(id)).padStart(9, '0'),
      zone: null,
      session: null,
      card: 'card',
      isGone: false,
      end,
    }
  })
  const answer: Answer = { json: json.join(','), parts, etag: '"x"', next: null }
  return { answer, layer: 'mongodb' }
}

const versionIn = ({ parts }: Answer, id: string) => Number(parts.find((part) => part.id === id)?.version)

describe('what is kept', () => {
  test('is given without asking the store again', async () => {
    const { event, stored, loads, clock } = bench()
    stored.set('a', 1)
    const first = await event('a')
    clock.now += 7_000
    const second = await event('a')
    expect([first.outcome, second.outcome]).toEqual(['miss', 'hit'])
    expect([second.age, second.ttl, second.layer]).toEqual([7, 53, 'memory'])
    expect(loads).toEqual(['a'])
  })

  test('is asked for once, however many ask at a time', async () => {
    const { event, stored, loads } = bench()
    stored.set('a', 1)
    const all = await Promise.all(Array.from({ length: 100 }, () => event('a')))
    expect(loads).toEqual(['a'])
    expect(all.filter(({ outcome }) => outcome === 'coalesced')).toHaveLength(99)
  })

  test('is loaded again after it changed', async () => {
    const { event, stored, cache } = bench()
    stored.set('a', 1)
    await event('a')
    stored.set('a', 2)
    cache.changed(subjectOfEvent('a'))
    const after = await event('a')
    expect([after.outcome, versionIn(after.answer, 'a')]).toEqual(['miss', 2])
  })

  test('is good for a second only while nobody tells what changes', async () => {
    const { event, stored, clock, told } = bench()
    stored.set('a', 1)
    await event('a')
    told.isTold = false
    clock.now += 999
    expect((await event('a')).outcome).toBe('hit')
    clock.now += 1
    expect((await event('a')).outcome).toBe('miss')
  })

  test('is loaded ahead of its end when it is asked for often', async () => {
    const { event, stored, clock, loads } = bench()
    stored.set('a', 1)
    for (let i = 0; i < 5; i++) await event('a')
    clock.now += 50_000
    expect((await event('a')).outcome).toBe('hit')
    await event('a')
    clock.now += 20_000
    expect((await event('a')).outcome).toBe('hit')
    expect(loads).toHaveLength(2)
  })

  test('that there is nothing is remembered briefly, and forgotten when something comes', async () => {
    const { event, stored, clock, cache, loads } = bench()
    expect((await event('a')).outcome).toBe('miss')
    clock.now += 4_000
    expect((await event('a')).outcome).toBe('negative')
    stored.set('a', 1)
    cache.changed(subjectOfEvent('a'))
    expect((await event('a')).answer.parts).toHaveLength(1)
    expect(loads).toHaveLength(2)
  })

  test('stays within its bound', async () => {
    const { event, stored, cache } = bench({ mostBytes: 200_000 })
    for (let i = 0; i < 2_000; i++) {
      stored.set(`e${i}`, 1)
      await event(`e${i}`)
    }
    expect(cache.bytes).toBeLessThan(1.05 * 200_000)
    expect(cache.size).toBeGreaterThan(100)
  })
})

describe('while the store fails', () => {
  test('what is kept is given as stale, whatever its age, and not for ever', async () => {
    const { event, stored, clock, away, cache } = bench()
    stored.set('a', 1)
    await event('a')
    away(true)
    clock.now += 61_000
    const stale = await event('a')
    expect([stale.outcome, stale.ttl, stale.age]).toEqual(['stale', -1, 61])
    cache.changed(subjectOfEvent('a'))
    expect((await event('a')).outcome).toBe('stale')
    clock.now += 3_600_000
    await expect(event('a')).rejects.toThrow('away')
  })

  test('what is not kept is an error, and never a miss', async () => {
    const { event, away } = bench()
    away(true)
    await expect(Promise.all([event('a'), event('a')])).rejects.toThrow('away')
    away(false)
    expect((await event('a')).outcome).toBe('miss')
  })
})

/** Many readers of few events, alone and in lists, and a writer, in any order that loads may end in. */
describe('nobody goes back in time', () => {
  const IDS = ['a', 'b']
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), id: fc.constantFrom(...IDS) }),
    fc.record({ do: fc.constant('tell' as const) }),
    fc.record({ do: fc.constant('read' as const), id: fc.constantFrom(...IDS) }),
    fc.record({ do: fc.constant('list' as const) }),
    fc.record({ do: fc.constant('finish' as const), which: fc.nat(3) }),
  )

  test('in any order of writes, news of them, loads and their ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }), async (steps) => {
        const { cache, stored } = bench()
        const pending: (() => void)[] = []
        const untold: string[] = []
        /** What any reader has seen by now: who asks later must see that, or newer. */
        const seen = new Map<string, number>()
        const looks: Promise<void>[] = []
        const load = (ids: string[]) => async () => {
          const result = loaded(ids, new Map(stored)) // what the store holds when it is asked
          await new Promise<void>((resolve) => pending.push(resolve))
          return result
        }
        const ask = (key: string, ids: string[], subjects: string[]) => {
          const least = new Map(seen)
          looks.push(
            cache.look({ key, subjects, load: load(ids) }).then(({ answer }) => {
              for (const { id } of answer.parts) {
                const version = versionIn(answer, id)
                expect(version).toBeGreaterThanOrEqual(least.get(id) ?? 0)
                seen.set(id, Math.max(seen.get(id) ?? 0, version))
              }
              for (const [id] of least) if (ids.includes(id)) expect(answer.parts.map((part) => part.id)).toContain(id)
            }),
          )
        }
        for (const one of steps) {
          if (one.do === 'write') {
            stored.set(one.id, (stored.get(one.id) ?? 0) + 1)
            untold.push(one.id)
          } else if (one.do === 'tell') {
            const id = untold.shift()
            if (id !== undefined) cache.changed(subjectOfEvent(id))
            if (id !== undefined) cache.changed('c:card')
          } else if (one.do === 'read') ask(subjectOfEvent(one.id), [one.id], [subjectOfEvent(one.id)])
          else if (one.do === 'list') ask('l:list', IDS, ['c:card'])
          else {
            pending.splice(one.which, 1)[0]?.()
            await new Promise((resolve) => setImmediate(resolve))
          }
        }
        for (let i = 0; i < 40; i++) {
          for (const end of pending.splice(0)) end()
          await new Promise((resolve) => setImmediate(resolve))
        }
        await Promise.all(looks)
        // All was told: what is kept now is what is stored.
        for (const id of untold.splice(0)) {
          cache.changed(subjectOfEvent(id))
          cache.changed('c:card')
        }
        for (const id of IDS) {
          const last = cache.look({
            key: subjectOfEvent(id),
            subjects: [subjectOfEvent(id)],
            load: async () => loaded([id], stored),
          })
          expect((await last).answer.json).toBe(loaded([id], stored).answer.json)
        }
      }),
      { numRuns: 1_500 },
    )
  })
})
