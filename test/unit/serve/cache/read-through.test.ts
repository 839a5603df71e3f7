import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Answer, subjectOfCard, subjectOfEvent } from '../../../../src/serve/cache/answer.ts'
import {
  createReadThrough,
  type Loaded,
  type Question,
  type ReadThrough,
} from '../../../../src/serve/cache/read-through.ts'

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
  const list = (ids: string[], more: Partial<Question> & Pick<Partial<Loaded>, 'belongs'> = {}) =>
    cache.look({
      key: `l:${ids}`,
      subjects: ['c:card'],
      load: async () => {
        loads.push(`l:${ids}`)
        await null
        if (isAway) throw new Error('away')
        return { ...loaded(ids, stored), ...more }
      },
      ...more,
    })
  return { cache, clock, told, loads, stored, event, list, away: (is: boolean) => (isAway = is) }
}

function loaded(ids: string[], stored: ReadonlyMap<string, number>): Loaded {
  const there = ids.filter((id) => stored.has(id))
  const json = there.map((id) => `{"_id":"${id}","v":${stored.get(id)}}`)
  let end = -1
  const parts = there.map((id, i) => {
    end += 1 + (json[i]?.length ?? 0)
    return {
      subject: subjectOfEvent(id),
      version: String(stored.get(id)).padStart(9, '0'),
      at: 0,
      zone: null,
      lists: [subjectOfCard('card')],
      isGone: false,
      end,
    }
  })
  const answer: Answer = { json: json.join(','), parts, etag: '"x"', next: null }
  return { answer, layer: 'mongodb', belongs: () => true }
}

const versionIn = ({ parts }: Answer, id: string) =>
  Number(parts.find(({ subject }) => subject === subjectOfEvent(id))?.version)

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

describe('a list', () => {
  test('that lacks an event that was shown is loaded again, unless that is of another page', async () => {
    const { event, list, stored, loads } = bench()
    stored.set('a', 1)
    await list(['a', 'b'])
    await list(['a'], { belongs: ({ subject }) => subject === 'e:a' })
    stored.set('b', 1)
    await event('b')
    expect((await list(['a'], { belongs: ({ subject }) => subject === 'e:a' })).outcome).toBe('hit')
    expect((await list(['a', 'b'])).outcome).toBe('miss')
    expect(loads).toEqual(['l:a,b', 'l:a', 'b', 'l:a,b'])
  })

  test('is loaded once more, and no more, when an event that it lacks is shown meanwhile', async () => {
    const { cache, event, stored } = bench()
    let loads = 0
    let go = () => {}
    const before = new Promise<void>((resolve) => {
      go = resolve
    })
    const look = cache.look({
      key: 'l:slow',
      subjects: ['c:card'],
      load: async () => {
        loads++
        const found = loaded(['a'], stored)
        if (loads === 1) await before
        return found
      },
    })
    stored.set('a', 1)
    await event('a')
    go()
    expect((await look).answer.parts).toHaveLength(1)
    expect(loads).toBe(2)
  })

  test('of which nobody tells all that changes is good for a second', async () => {
    const { list, stored, clock } = bench()
    stored.set('a', 1)
    await list(['a'], { briefly: true })
    clock.now += 999
    expect((await list(['a'], { briefly: true })).outcome).toBe('hit')
    clock.now += 1
    expect((await list(['a'], { briefly: true })).outcome).toBe('miss')
  })

  test('is not kept when it is too large a part of the memory', async () => {
    const { list, stored, cache } = bench({ mostBytes: 20_000 })
    const ids = Array.from({ length: 30 }, (_, i) => `e${i}`)
    for (const id of ids) stored.set(id, 1)
    const looks = [await list(ids), await list(ids)]
    expect(looks.map(({ outcome, answer }) => [outcome, answer.parts.length])).toEqual([
      ['miss', 30],
      ['miss', 30],
    ])
    expect(cache.size).toBe(0)
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

  test('that there is nothing is not given for longer than it is good', async () => {
    const { event, clock, away } = bench()
    await event('a')
    away(true)
    clock.now += 4_900
    expect((await event('a')).outcome).toBe('negative')
    clock.now += 200
    await expect(event('a')).rejects.toThrow('away')
  })

  test('nobody is given what is older than what was shown', async () => {
    const { event, list, stored, away, cache } = bench()
    stored.set('a', 1)
    await event('a')
    stored.set('a', 2)
    cache.changed('c:card')
    expect(versionIn((await list(['a'])).answer, 'a')).toBe(2)
    away(true)
    await expect(event('a')).rejects.toThrow('away')
    cache.allChanged()
    expect((await list(['a'])).outcome).toBe('stale')
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
    fc.record({ do: fc.constant('fail' as const), which: fc.nat(3) }),
  )

  test('in any order of writes, news of them, loads and their ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }), async (steps) => {
        const { cache, stored } = bench()
        const pending: ((error?: Error) => void)[] = []
        const untold: string[] = []
        /** What any reader has seen by now: who asks later must see that, or newer. */
        const seen = new Map<string, number>()
        const looks: Promise<void>[] = []
        const load = (ids: string[]) => async () => {
          const result = loaded(ids, new Map(stored)) // what the store holds when it is asked
          await new Promise<void>((resolve, reject) => {
            pending.push((error) => (error ? reject(error) : resolve()))
          })
          return result
        }
        const ask = (key: string, wanted: string[], subjects: string[]) => {
          const least = new Map(seen)
          const look = cache.look({ key, subjects, load: load(wanted) }).catch((error: Error) => {
            expect(error.message).toBe('away')
            return null
          })
          looks.push(
            look.then((found) => {
              if (found === null) return
              const { answer } = found
              const ids = answer.parts.map(({ subject }) => subject.slice(2))
              for (const id of ids) {
                const version = versionIn(answer, id)
                expect(version).toBeGreaterThanOrEqual(least.get(id) ?? 0)
                seen.set(id, Math.max(seen.get(id) ?? 0, version))
              }
              for (const [id] of least) if (wanted.includes(id)) expect(ids).toContain(id)
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
            pending.splice(one.which, 1)[0]?.(one.do === 'fail' ? new Error('away') : undefined)
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
