import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hashOf, NO_LIVE_FILTERS, NO_SESSION_FILTERS, queryOf, type Route, routeOf } from '../../../web/src/routes.ts'

const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })
const text = fc.string({ unit: 'binary', maxLength: 50 })

const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constantFrom<Route>({ view: 'zones' }, { view: 'cache' }, { view: 'dead-letters' }),
  fc.record({ view: fc.constantFrom('zone', 'session', 'event'), id }) as fc.Arbitrary<Route>,
  fc.record({
    view: fc.constant('live' as const),
    filters: fc.record({
      zone: text,
      session: text,
      kind: fc.constantFrom('' as const, 'session' as const, 'error' as const),
      all: fc.boolean(),
    }),
  }),
  fc.record({
    view: fc.constant('sessions' as const),
    filters: fc.record({ zone: text, status: text, card: text }),
  }),
)

describe('an address', () => {
  test('leads back to the view that it was made of, whatever the ids are', () => {
    fc.assert(
      fc.property(route, (one) => {
        // As a browser keeps it.
        const kept = new URL(`https://cars.example/${hashOf(one)}`).hash
        expect(routeOf(kept)).toEqual(one)
      }),
    )
  })

  test.each<[string, Route]>([
    ['', { view: 'zones' }],
    ['#', { view: 'zones' }],
    ['#/zones', { view: 'zones' }],
    ['#/zones/', { view: 'zones' }],
    ['#/zones/a/b', { view: 'zone', id: 'a/b' }],
    ['#/zones/%', { view: 'unknown' }],
    ['#/nowhere', { view: 'unknown' }],
    ['#/nowhere/1', { view: 'unknown' }],
    ['#/live?kind=nonsense&all=1', { view: 'live', filters: NO_LIVE_FILTERS }],
    ['#/sessions?card=tok_1', { view: 'sessions', filters: { ...NO_SESSION_FILTERS, card: 'tok_1' } }],
  ])('%j is understood', (hash, expected) => expect(routeOf(hash)).toEqual(expected))

  test('of an id with half a surrogate pair does not throw', () => {
    expect(hashOf({ view: 'zone', id: 'a\ud800' })).toBe('#/zones/a%EF%BF%BD')
  })
})

test('a query has what is not empty, encoded', () => {
  expect(queryOf({ zone: 'a b&c', status: '', limit: 50 })).toBe('zone=a%20b%26c&limit=50')
})
