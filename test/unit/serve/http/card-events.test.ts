import { describe, expect, test } from '@jest/globals'
import { type Caller, SCOPES } from '../../../../src/serve/access/access.ts'
import { type Cursor, cursorOf, cursorText } from '../../../../src/serve/cursor.ts'
import { cardPage } from '../../../../src/serve/http/card-events.ts'
import type { LookUp } from '../../../../src/serve/look-up.ts'

interface Event {
  _id: string
  zone: string
  createdAt: string
}

const callerOf = (...zones: string[]): Caller => ({
  ...{ id: 'a', scopes: new Set(SCOPES), expiresAt: null },
  zones: zones.length === 0 ? null : new Set(zones),
})

/** The events of a card, one a second, the newest first, in these zones. */
const eventsIn = (zones: readonly string[]): Event[] =>
  zones.map((zone, i) => ({ _id: `e${i}`, zone, createdAt: new Date(1e12 - 1_000 * i).toISOString() }))

function lookUpOf(events: Event[]): Pick<LookUp, 'card'> & { asked(): number } {
  let asked = 0
  return {
    asked: () => asked,
    async card(_, limit, before) {
      asked++
      const from = before === null ? 0 : events.findIndex(({ createdAt }) => Date.parse(createdAt) < before.at)
      const rest = from < 0 ? [] : events.slice(from, from + limit + 1)
      const page = rest.slice(0, limit)
      const last = rest.length > limit ? page.at(-1) : undefined
      let end = -1
      const parts = page.map((event) => {
        end += 1 + JSON.stringify(event).length
        return { zone: event.zone, end }
      })
      const json = page.map((event) => JSON.stringify(event)).join()
      const next = last ? cursorText({ at: Date.parse(last.createdAt), id: last._id }) : null
      const answer = { json, parts, next, etag: '"e"' }
      return { answer, outcome: 'hit', layer: 'memory', age: 0, ttl: 1, stored: false } as never
    },
  }
}

async function allPages(events: Event[], caller: Caller, limit: number) {
  const lookUp = lookUpOf(events)
  const pages: string[][] = []
  let before: Cursor | null = null
  do {
    const { json, next, isEmpty } = await cardPage(lookUp as never, { cards: ['c'], limit, before }, caller)
    const page: Event[] = JSON.parse(`[${json}]`)
    expect(isEmpty).toBe(page.length === 0)
    pages.push(page.map(({ _id }) => _id))
    if (next !== null) expect(cursorOf(next)?.id).toBe(page.at(-1)?._id)
    before = next === null ? null : cursorOf(next)
  } while (before !== null)
  return { pages, asked: lookUp.asked() }
}

describe('pages of the events of a card', () => {
  const zones = Array.from({ length: 1_300 }, (_, i) => (i % 400 === 399 ? 'a' : 'b'))

  test('are as the store has them for who may see all zones', async () => {
    const { pages } = await allPages(eventsIn(['a', 'b', 'a']), callerOf(), 2)
    expect(pages).toEqual([['e0', 'e1'], ['e2']])
  })

  test('are full of what a caller of some zones may see, and end with it', async () => {
    const { pages } = await allPages(eventsIn(zones), callerOf('a'), 2)
    expect(pages).toEqual([['e399', 'e799'], ['e1199']])
  })

  test('are the same as if there was nothing in other zones', async () => {
    const own = eventsIn(zones).filter(({ zone }) => zone === 'a')
    for (const limit of [1, 2, 3, 500]) {
      const among = await allPages(eventsIn(zones), callerOf('a'), limit)
      expect(among.pages).toEqual((await allPages(own, callerOf('a'), limit)).pages)
    }
    expect((await allPages(eventsIn(zones), callerOf('c'), 1)).pages).toEqual([[]])
  })

  test('are looked for among so many events only', async () => {
    const many = eventsIn(Array.from({ length: 20_000 }, (_, i) => (i === 9_999 || i === 15_000 ? 'a' : 'b')))
    expect(await allPages(many, callerOf('a'), 5)).toEqual({ pages: [['e9999']], asked: 20 })
  })
})
