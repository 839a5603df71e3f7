import { describe, expect, test } from '@jest/globals'
import type { Documents } from '../../../src/documents/store.ts'
import { createLookUp, type LookUpParts } from '../../../src/look-up.ts'
import { type Cards, createCards } from '../../../src/normalize/card-data.ts'
import { createReadThrough, type LookOutcome } from '../../../src/serve/cache/read-through.ts'
import { eventOf } from '../../../src/serve/event-view.ts'
import { createFill } from '../../../src/serve/fill.ts'
import type { EventFinder } from '../../../src/serve/find-events.ts'
import { StoreFailure } from '../../../src/serve/look-up.ts'
import { createMemoryStore } from '../../support/memory-store.ts'

const NOW = Date.now()
const LIMITS = { maxFieldBytes: 1_024 }
const cards: Cards = createCards({ tokenKey: 'key', exemptPaths: [], limits: LIMITS } as never)
const row = { event_id: 'a', event_type: 'parking_start', status: 'on-going', session_data: { session_id: 'a' } }

const idsOf = (documents: Documents) =>
  (typeof documents === 'function' ? documents() : documents).map(({ _id }) => _id)

/** A look-up before stores of this process: MongoDB as the merge alone, a primary that knows one session. */
function bench({ write = createMemoryStore().write, hasPrimary = true } = {}) {
  const store = createMemoryStore()
  const state = { isMongoAway: false, isPrimaryAway: false, asked: 0 }
  const all = async () => {
    if (state.isMongoAway) throw new Error('away')
    return [...store.documents.values()].map((document) => eventOf(document, reading))
  }
  const reading = { keys: [], clock: null }
  const finder: EventFinder = {
    byId: async (id) => (await all()).find((event) => event.id === id) ?? null,
    bySession: async (id) => (await all()).filter(({ session }) => session === id),
    byCard: async () => all(),
  }
  const outcomes: (LookOutcome | 'error')[] = []
  const failures: string[] = []
  const rejected: string[] = []
  const cache = createReadThrough({ mostBytes: 1_000_000, isTold: () => true, onEvicted: () => {} })
  const primary = {
    state: 'closed' as const,
    async rows(id: string) {
      state.asked++
      if (state.isPrimaryAway) throw new Error('away')
      return id === 'a' ? [{ record: row, createdAt: NOW - 1_000, updatedAt: NOW - 500 }] : []
    },
    async [Symbol.asyncDispose]() {},
  }
  const timed: LookUpParts['timed'] = (layer, ask) =>
    ask().catch((error) => {
      throw new StoreFailure(layer, error)
    })
  const lookUp = createLookUp({
    ...{ cache, finder, prices: finder, timed, primary: hasPrimary ? primary : null },
    reader: {
      ...{ cards, clock: null, seal: (_, content) => content, retentionMs: 86_400_000 },
      onRejected: (reason) => rejected.push(reason),
    },
    fill: createFill({ write }, (reason) => failures.push(reason)),
    reading,
    onLook: (outcome) => outcomes.push(outcome),
  })
  return { lookUp, store, state, outcomes, failures, close: () => cache.close() }
}

describe('what only the primary knows', () => {
  test('is given in time where MongoDB does not confirm it, and the write goes on', async () => {
    const written: string[] = []
    const { lookUp, close } = bench({
      write: async (documents) => {
        written.push(...idsOf(documents))
        return new Promise(() => {})
      },
    })
    const began = Date.now()
    const { answer, layer } = await lookUp.event('a')
    expect([answer.parts[0]?.subject, layer, written]).toEqual(['e:a', 'primary', ['a']])
    expect(Date.now() - began).toBeLessThan(2_000)
    close()
  })

  test('is given where MongoDB fails to take it, and that is told', async () => {
    const { lookUp, failures, close } = bench({ write: () => Promise.reject(new Error('no majority')) })
    expect((await lookUp.session('a')).answer.parts).toHaveLength(1)
    expect(failures).toEqual(['no majority'])
    close()
  })

  test('is not asked for where MongoDB fails, nor without a primary', async () => {
    const { lookUp, state, outcomes, close } = bench()
    state.isMongoAway = true
    await expect(lookUp.event('a')).rejects.toThrow('document store')
    await expect(lookUp.session('a')).rejects.toThrow('document store')
    expect([state.asked, outcomes]).toEqual([0, ['error', 'error']])
    close()
    const without = bench({ hasPrimary: false })
    expect((await without.lookUp.event('a')).answer.parts).toEqual([])
    expect(without.state.asked).toBe(0)
    without.close()
  })

  test('is an error where the primary fails', async () => {
    const { lookUp, state, close } = bench()
    state.isPrimaryAway = true
    await expect(lookUp.event('b')).rejects.toThrow('primary store')
    state.isPrimaryAway = false
    expect((await lookUp.event('b')).answer.parts).toEqual([])
    close()
  })
})

describe('writes of what the primary knows', () => {
  const documentOf = (id: string) => ({ _id: id, cache: { order: '1', kind: 'session' } }) as never

  test('go out one at a time, with all that came meanwhile', async () => {
    const packs: string[][] = []
    let confirm = () => {}
    const fill = createFill(
      {
        write: async (documents) => {
          packs.push(idsOf(documents))
          await new Promise<void>((resolve) => {
            confirm = resolve
          })
          return { refused: new Map() } as never
        },
      },
      () => {},
    )
    const first = fill([documentOf('a')])
    await null
    const second = Promise.all(['b', 'c'].map((id) => fill([documentOf(id)])))
    confirm()
    await first
    expect(packs).toEqual([['a'], ['b', 'c']])
    confirm()
    await second
  })

  test('are waited for until what is read then shows them', async () => {
    const told: string[] = []
    const write = async () => ({ refused: new Map() }) as never
    const onStored = async () => {
      await null
      told.push('known how far MongoDB has come')
    }
    await createFill({ write }, () => {}, onStored)([documentOf('a')])
    told.push('goes on')
    expect(told).toEqual(['known how far MongoDB has come', 'goes on'])
  })

  test('are given up where too many wait', async () => {
    const failures: number[] = []
    const fill = createFill({ write: () => new Promise(() => {}) }, (_, documents) => failures.push(documents))
    const ids = Array.from({ length: 1_000 }, (_, i) => `e${i}`)
    fill([documentOf('first')])
    await null
    fill(ids.map(documentOf))
    await fill([documentOf('one'), documentOf('more')])
    expect(failures).toEqual([2])
  })
})
