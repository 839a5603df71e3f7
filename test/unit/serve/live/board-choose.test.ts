import { describe, expect, test } from '@jest/globals'
import { given, ids, ZONE } from './board-given.ts'
import { at, START } from './board-traffic.ts'

describe('given many sessions that leave at once', () => {
  const many = () => {
    const { tell, ...rest } = given()
    for (let i = 0; i < 1_200; i++) {
      tell(`S${i}`, -10, 'on-going', { ...ZONE, card: 'tok_1' })
      tell(`S${i}`, -5, 'finished')
    }
    rest.clock(3 * 60 - 4)
    return { tell, ...rest }
  }

  test('none of them is shown, though it may take a while until they are gone', () => {
    const { board, tell } = many()
    expect([ids(board), ids(board, { zones: null, card: ['tok_1'] }), board.session('S9')]).toEqual([[], [], undefined])
    expect(board.size).toBeGreaterThan(0)
    for (let i = 0; i < 500; i++) tell('T', 170 + i / 1_000, 'on-going')
    expect(board.size).toBe(1)
  })

  test('of one that is heard of again, no more is known than of one that is gone', () => {
    const { board, tell } = many()
    tell('S1100', 170, 'on-going')
    expect(board.session('S1100')).toMatchObject({ parked: true, zone_id: null, card: null, revision: 3 })
  })
})

describe('given sessions to choose from', () => {
  const some = () => {
    const { tell, ...rest } = given()
    tell('A', -30, 'on-going', { ...ZONE, card: 'tok_1' })
    tell('B', -20, 'on-going', { zone_id: 'Y', card: 'tok_1' })
    tell('C', -20, 'alerted', { ...ZONE, card: 'tok_2' })
    tell('D', -10, 'on-going', {})
    tell('A', -5, 'finished')
    return { tell, ...rest }
  }

  test('they come newest first, then by id, in pages that neither repeat nor leave out any', () => {
    const { board } = some()
    const first = board.sessions({ zones: null }, { limit: 3 })
    expect(first.sessions.map(({ session_id }) => session_id)).toEqual(['A', 'D', 'C'])
    expect(first.next).toEqual({ occurredAt: at(-20), sessionId: 'C' })
    const second = board.sessions({ zones: null }, { limit: 3, ...(first.next && { before: first.next }) })
    expect(second.sessions.map(({ session_id }) => session_id)).toEqual(['B'])
    expect(second.next).toBeNull()
    expect(board.sessions({ zones: null }, { limit: 4 }).next).toBeNull()
  })

  test('by zone, status, card, and only in the zones that may be read', () => {
    const { board } = some()
    expect(ids(board, { zones: null, zone: 'Z' })).toEqual(['A', 'C'])
    expect(ids(board, { zones: null, status: 'on-going' })).toEqual(['D', 'B'])
    expect(ids(board, { zones: null, card: ['tok_2', 'tok_1', 'tok_1'] })).toEqual(['A', 'C', 'B'])
    expect(ids(board, { zones: null, card: [] })).toEqual([])
    expect(ids(board, { zones: new Set(['Y']) })).toEqual(['B'])
    expect(ids(board, { zones: new Set(['Y']), card: ['tok_1'] })).toEqual(['B'])
    expect(ids(board, { zones: new Set(['Y']), zone: 'Z' })).toEqual([])
    expect(ids(board, { zones: new Set() })).toEqual([])
    expect(ids(board, { zones: null, zone: 'Z', status: 'finished', card: ['tok_1'] })).toEqual(['A'])
    expect(ids(board, { zones: null, status: 'unheard' })).toEqual([])
  })

  test('a card that is named anew is found under its new name only', () => {
    const { board, tell } = some()
    tell('B', -2, 'on-going', { card: 'tok_9' })
    expect([ids(board, { zones: null, card: ['tok_1'] }), ids(board, { zones: null, card: ['tok_9'] })]).toEqual([
      ['A'],
      ['B'],
    ])
  })
})

describe('given texts of any kind', () => {
  const texts = ['', '__proto__', 'ünïcode ☂', '🚗'.repeat(300), 'x'.repeat(1_024), ' \n"', '5016216071']
  test('keys, zones, cards, words and event ids come back as they were', () => {
    const { board, tell } = given()
    for (const text of texts) {
      const update = tell(text, -10, `word ${text}`, { zone_id: text, card: text, event_id: text })
      tell(text, -9, 'captured', { kind: 'payment', event_id: text })
      expect(board.session(text)).toMatchObject({ zone_id: text, card: text, status: `word ${text}` })
      expect(board.session(text)?.state.session).toEqual(update?.state.session)
    }
    for (const text of texts) {
      expect([ids(board, { zones: null, zone: text }), ids(board, { zones: null, card: [text] })]).toEqual([
        [text],
        [text],
      ])
      expect(board.zone(text)).toMatchObject({ parked: 1, by_status: { [`word ${text}`]: 1 } })
    }
    expect(board.zones(null)).toHaveLength(texts.length)
  })

  test('a time that cannot be read is as old as can be, and breaks nothing', () => {
    const { board, lane, clock } = given()
    const update = lane.tell('S', { ...ZONE })
    if (update) board.apply('S', { ...update, ends_at: 'soon', occurred_at: '', state: {} })
    expect(board.session('S')).toBeUndefined()
    const next = lane.tell('S', { at: START + 1, ...ZONE })
    if (next) board.apply('S', { ...next, ends_at: 'soon' })
    clock(1)
    expect(board.session('S')).toMatchObject({ parked: true, overdue: true, ends_at: '1970-01-01T00:00:00.000Z' })
  })
})
