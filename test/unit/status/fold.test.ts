import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Kind } from '../../../src/contract/document.ts'
import type { Observation } from '../../../src/contract/observation.ts'
import type { StatusUpdate } from '../../../src/contract/status-update.ts'
import { fold, foldAll, type Head, headOf, updateId } from '../../../src/status/fold.ts'
import { updateId as modelledId } from '../../model/update-id.ts'

const START = Date.UTC(2026, 5, 1, 10)

const observation = (event_id: string, status: string, minute: number, kind: Kind = 'session'): Observation => ({
  ...{ key: 'S1', kind, status, at: START + minute * 60_000, event_id, session_id: 'S1', card: null, zone_id: 'Z' },
  ...{ event_type: null, http_status: 200, ends_at: null, source: { topic: 'events', partition: 0, offset: '7' } },
})

/** Tells a story: what is published for these observations, told from no head. */
function story(...observations: Observation[]): StatusUpdate[] {
  return foldAll(() => undefined, observations, 0).updates.map(({ update }) => update)
}

describe('given no head', () => {
  test('the first observation is published, changed, with no previous status, as revision 1', () => {
    const [update] = story(observation('e1', 'on-going', 0))
    expect(update).toMatchObject({ previous_status: null, status: 'on-going', changed: true, revision: 1 })
    expect(update?.occurred_at).toBe('2026-06-01T10:00:00.000Z')
    expect(update?.state).toEqual({
      session: { status: 'on-going', occurred_at: '2026-06-01T10:00:00.000Z', event_id: 'e1' },
    })
  })
})

describe('given a session that is on-going', () => {
  const started = observation('e1', 'on-going', 0)

  test('an extension is published as confirmed, and a stop as changed', () => {
    const updates = story(started, observation('e2', 'on-going', 5), observation('e3', 'finished', 9))
    expect(
      updates.map(({ revision, previous_status, status, changed }) => [revision, previous_status, status, changed]),
    ).toEqual([
      [1, null, 'on-going', true],
      [2, 'on-going', 'on-going', false],
      [3, 'on-going', 'finished', true],
    ])
  })

  test('the same observation again, an older one, and one of the same time and a lesser id are silent', () => {
    expect(story(started, started, observation('e0', 'finished', -1), observation('e0', 'finished', 0))).toHaveLength(1)
  })

  test('one of the same time and event id with a greater word is newer', () => {
    expect(story(started, { ...started, status: 'zzz' })).toHaveLength(2)
  })

  test('a payment has a head of its own and shares the revision', () => {
    const updates = story(started, observation('p1', 'authorized', -3, 'payment'))
    expect(updates[1]).toMatchObject({ previous_status: null, status: 'authorized', revision: 2 })
    expect(Object.keys(updates[1]?.state ?? {})).toEqual(['session', 'payment'])
  })

  test('an expired observation is counted and ignored', () => {
    const folded = foldAll(() => undefined, [started], started.at)
    expect(folded).toMatchObject({ updates: [], older: 0, expired: 1 })
  })
})

test('an update id is a UUID of version 5 that follows from key, kind, event, time and status alone', () => {
  const id = updateId('S1', 'session', 'e1', '2026-06-01T10:00:00.000Z', 'on-going')
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(updateId('S1', 'session', 'e1', '2026-06-01T10:00:00.000Z', 'on-going')).toBe(id)
  expect(updateId('S1', 'session', 'e1', '2026-06-01T10:00:00.000Z', 'finished')).not.toBe(id)
})

test('an update id is the one that the independent model computes, however long its parts', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('☂'.repeat(1_000), '\ud800', ''))
  const property = (key: string, kind: Kind, eventId: string, at: string, status: string) =>
    expect(updateId(key, kind, eventId, at, status)).toBe(modelledId(key, kind, eventId, at, status))
  fc.assert(fc.property(text, fc.constantFrom<Kind>('session', 'error'), text, text, text, property))
})

const observations = fc.array(
  fc.record({
    key: fc.constantFrom('A', 'B'),
    kind: fc.constantFrom<Kind>('session', 'payment', 'error', 'status'),
    status: fc.constantFrom('on-going', 'finished', 'alerted'),
    event_id: fc.constantFrom('e1', 'e2', 'e3'),
    minute: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 40 },
)

const build = (drawn: { key: string; kind: Kind; status: string; event_id: string; minute: number }[]) =>
  drawn.map(({ key, kind, status, event_id, minute }) => ({
    ...observation(event_id, status, minute, kind),
    key,
    session_id: key,
  }))

/** Folds `all` in transactions of the given sizes, each on the heads that the former committed. */
function inTransactions(all: Observation[], sizes: number[]): { updates: StatusUpdate[]; heads: Map<string, Head> } {
  const heads = new Map<string, Head>()
  const updates: StatusUpdate[] = []
  for (let from = 0, i = 0; from < all.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    const folded = foldAll((key) => heads.get(key), all.slice(from, from + size), 0)
    for (const [key, head] of folded.heads) heads.set(key, head)
    updates.push(...folded.updates.map(({ update }) => update))
    from += size
  }
  return { updates, heads }
}

describe('whatever the observations', () => {
  test('cutting them into other transactions publishes the same', () => {
    fc.assert(
      fc.property(observations, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (drawn, sizes) => {
        const all = build(drawn)
        expect(inTransactions(all, sizes).updates).toEqual(inTransactions(all, [1_000]).updates)
      }),
    )
  })

  test('a replay from any point publishes nothing, and restored heads are the heads', () => {
    fc.assert(
      fc.property(observations, fc.nat(40), (drawn, from) => {
        const all = build(drawn)
        const { updates, heads } = inTransactions(all, [7])
        const restored = new Map<string, Head>()
        for (const [i, { key, update }] of foldAll(() => undefined, all, 0).updates.entries()) {
          expect(update).toEqual(updates[i])
          restored.set(key, headOf(JSON.parse(JSON.stringify(update))))
        }
        expect(restored).toEqual(heads)
        expect(foldAll((key) => restored.get(key), all.slice(from), 0).updates).toEqual([])
      }),
    )
  })

  test('in any order the heads end the same but for the revision, each kind strictly rising', () => {
    fc.assert(
      fc.property(
        observations.chain((drawn) =>
          fc.tuple(fc.constant(drawn), fc.shuffledSubarray(drawn, { minLength: drawn.length })),
        ),
        ([drawn, shuffled]) => {
          const states = (heads: Map<string, Head>) => new Map([...heads].map(([key, head]) => [key, head.state]))
          const { updates, heads } = inTransactions(build(shuffled), [5])
          expect(states(heads)).toEqual(states(inTransactions(build(drawn), [5]).heads))
          const last = new Map<string, StatusUpdate>()
          const revisions = new Map<string, number>()
          for (const update of updates) {
            const { session_id, kind, occurred_at, event_id, status, revision } = update
            const key = session_id as string
            expect(revision).toBe((revisions.get(key) ?? 0) + 1)
            revisions.set(key, revision)
            expect(update.state[kind]).toEqual({ status, occurred_at, event_id })
            const before = last.get(`${key} ${kind}`)
            expect(update.previous_status).toBe(before?.status ?? null)
            const order = (one: StatusUpdate) => `${one.occurred_at} ${one.event_id} ${one.status}`
            if (before) expect(order(update) > order(before)).toBe(true)
            last.set(`${key} ${kind}`, update)
          }
        },
      ),
    )
  })

  test('one by one, a fold is what foldAll does', () => {
    fc.assert(
      fc.property(observations, (drawn) => {
        const heads = new Map<string, Head>()
        const updates: StatusUpdate[] = []
        for (const one of build(drawn)) {
          const update = fold(heads.get(one.key), one)
          if (!update) continue
          updates.push(update)
          heads.set(one.key, headOf(update))
        }
        expect(updates).toEqual(inTransactions(build(drawn), [1_000]).updates)
      }),
    )
  })
})
