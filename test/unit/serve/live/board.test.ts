import { describe, expect, test } from '@jest/globals'
import type { Observation } from '../../../../src/contract/observation.ts'
import { type Board, type BoardOptions, createBoard } from '../../../../src/serve/live/board.ts'
import { at, createLane, HOUR, MINUTE, OPTIONS, START } from './board-traffic.ts'

/** A board, the lane that tells it, and its clock, which begins at 10:00. */
function given(options: Partial<BoardOptions> = {}) {
  let now = START
  const board = createBoard({ ...OPTIONS, now: () => now, ...options })
  const lane = createLane()
  return {
    board,
    lane,
    /** The clock shows this many minutes after 10:00. */
    clock(minute: number) {
      now = START + minute * MINUTE
    },
    tell(key: string, minute: number, status: string, more: Partial<Observation> = {}) {
      const update = lane.tell(key, { at: START + minute * MINUTE, status, ...more })
      board.apply(key, update)
      return update
    },
    end(key: string) {
      lane.end(key)
      board.apply(key, null)
    },
  }
}

const ZONE = { zone_id: 'Z' }
const ids = (board: Board, choice: Parameters<Board['sessions']>[0] = { zones: null }) =>
  board.sessions(choice, { limit: 50 }).sessions.map(({ session_id }) => session_id)
/** Points of a zone by minutes after 10:00. */
const points = (board: Board, zone: string | null, hours = 1) =>
  Object.fromEntries(
    board.occupancy(zone, hours).points.map(({ at, parked }) => [(Date.parse(at) - START) / MINUTE, parked]),
  )

describe('given a session that began', () => {
  test('it is parked, in its zone, with all that is known of it', () => {
    const { board, tell } = given()
    const update = tell('S', -10, 'on-going', { ...ZONE, card: 'tok_1', ends_at: at(20) })
    expect(board.session('S')).toEqual({
      ...{ session_id: 'S', zone_id: 'Z', card: 'tok_1', status: 'on-going', parked: true, overdue: false },
      ...{ ends_at: at(20), occurred_at: at(-10), revision: 1, state: update?.state },
    })
    expect(board.zones(null)).toEqual([{ zone_id: 'Z', parked: 1, overdue: 0, by_status: { 'on-going': 1 } }])
    expect([board.parked, board.size]).toEqual([1, 1])
  })

  test('a payment and an error that name nothing change neither zone, card nor end, and are in its state', () => {
    const { board, tell } = given()
    tell('S', -10, 'on-going', { ...ZONE, card: 'tok_1', ends_at: at(20) })
    tell('S', -9, 'captured', { kind: 'payment' })
    const update = tell('S', -8, '404', { kind: 'error' })
    expect(board.session('S')).toMatchObject({ zone_id: 'Z', card: 'tok_1', ends_at: at(20), parked: true })
    expect(board.session('S')).toMatchObject({ occurred_at: at(-8), revision: 3, state: update?.state })
  })

  test('a late payment does not bring back a zone, card or time that changed since', () => {
    const { board, tell } = given()
    tell('S', -10, 'on-going', { ...ZONE, card: 'tok_1' })
    tell('S', -11, 'captured', { kind: 'payment', zone_id: 'Y', card: 'tok_0' })
    expect(board.session('S')).toMatchObject({ zone_id: 'Z', card: 'tok_1', occurred_at: at(-10), revision: 2 })
  })

  test('when it ends is what the session itself said last, and else what others say', () => {
    const { board, tell } = given()
    tell('S', -10, 'on-going')
    tell('S', -9, 'captured', { kind: 'payment', ends_at: at(50) })
    expect(board.session('S')?.ends_at).toBe(at(50))
    tell('S', -9.5, 'on-going', { ends_at: at(20) })
    expect(board.session('S')?.ends_at).toBe(at(20))
    tell('S', -8, 'captured', { kind: 'payment', ends_at: at(50) })
    tell('S', -7, 'alerted')
    expect(board.session('S')?.ends_at).toBe(at(20))
  })

  test('it is overdue once its end lies in the past, until it is extended', () => {
    const { board, tell, clock } = given()
    tell('S', -10, 'on-going', { ...ZONE, ends_at: at(20) })
    clock(20)
    expect(board.zone('Z')).toMatchObject({ parked: 1, overdue: 0 })
    clock(20.001)
    expect(board.zone('Z')).toMatchObject({ parked: 1, overdue: 1 })
    expect(board.session('S')).toMatchObject({ parked: true, overdue: true })
    tell('S', 21, 'on-going', { ends_at: at(60) })
    expect(board.zone('Z')).toMatchObject({ parked: 1, overdue: 0 })
  })

  test('it is counted under its new word when it is alerted, and under any word that is none of an end', () => {
    const { board, tell } = given()
    tell('S', -10, 'on-going', ZONE)
    tell('T', -10, 'on-going', ZONE)
    tell('S', -9, 'alerted')
    tell('U', -9, '__proto__', ZONE)
    const byStatus = board.zone('Z').by_status
    expect(Object.entries(byStatus).sort()).toEqual([['__proto__', 1], ['alerted', 1], ['on-going', 1]]) // biome-ignore format: one line
  })

  test.each(['finished', 'expired', 'cancelled'])(
    'it is not parked any more once it is %s, and shown for a while',
    (word) => {
      const { board, tell, clock } = given()
      tell('S', -10, 'on-going', ZONE)
      tell('S', -5, word)
      expect(board.zone('Z')).toEqual({ zone_id: 'Z', parked: 0, overdue: 0, by_status: {} })
      expect(board.zones(null)).toEqual([])
      expect(board.session('S')).toMatchObject({ parked: false, overdue: false, status: word, zone_id: 'Z' })
      clock(3 * 60 - 5)
      expect(ids(board)).toEqual(['S'])
      clock(3 * 60 - 4.9)
      expect([ids(board), board.session('S'), board.size]).toEqual([[], undefined, 0])
    },
  )

  test('a null value takes it away at once, and its key may begin anew', () => {
    const { board, tell, end } = given()
    tell('S', -10, 'on-going', { ...ZONE, card: 'tok_1' })
    tell('S', -9, 'alerted')
    end('S')
    expect([board.session('S'), board.parked, ids(board), board.size]).toEqual([undefined, 0, [], 0])
    tell('S', -3, 'on-going')
    expect(board.session('S')).toMatchObject({ revision: 1, zone_id: null, card: null })
  })
})

describe('given what is no parked session', () => {
  test('a key without a session id is not on the board, nor a null value for what is not there', () => {
    const { board, tell, end } = given()
    tell('event-1', -10, 'on-going', { session_id: null, ...ZONE })
    end('event-2')
    expect([board.size, board.zones(null)]).toEqual([0, []])
  })

  test('a session of which only payments are known is shown, not counted, and leaves some time after the last', () => {
    const { board, tell, clock } = given()
    tell('S', -10, 'captured', { kind: 'payment', ...ZONE })
    expect(board.session('S')).toMatchObject({ status: null, parked: false })
    expect(board.zones(null)).toEqual([])
    clock(3 * 60)
    expect(board.session('S')).toBeUndefined()
  })

  test('a session that ended long ago does not come on the board at all', () => {
    const { board, tell } = given()
    tell('S', -9 * 60, 'on-going', ZONE)
    expect(board.size).toBe(1)
    tell('S', -8 * 60, 'finished')
    expect(board.size).toBe(0)
    tell('S', -1, 'refunded', { kind: 'payment' })
    expect(board.size).toBe(0)
  })
})

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

describe('given the topic is read again from an earlier offset', () => {
  test('what is known already changes nothing', () => {
    const { board, tell } = given()
    const first = tell('S', -10, 'on-going', { zone_id: 'Y' })
    const second = tell('S', -5, 'finished', ZONE)
    const before = [board.session('S'), points(board, 'Z'), points(board, 'Y')]
    board.apply('S', first)
    board.apply('S', second)
    expect([board.session('S'), points(board, 'Z'), points(board, 'Y')]).toEqual(before)
  })
})

describe('given the occupancy of an hour', () => {
  test('it counts a session from its observed start to its observed end, the last point is now', () => {
    const { board, tell, clock } = given()
    clock(2)
    tell('S', -30, 'on-going', ZONE)
    tell('S', -15, 'finished')
    tell('T', -20.5, 'on-going', ZONE)
    expect(points(board, 'Z')).toEqual({
      ...{ [-55]: 0, [-50]: 0, [-45]: 0, [-40]: 0, [-35]: 0, [-30]: 1, [-25]: 1, [-20]: 2 },
      ...{ [-15]: 1, [-10]: 1, [-5]: 1, 0: 1, 2: 1 },
    })
    expect(board.occupancy('Z', 1).step).toBe(5 * MINUTE)
    expect(points(board, null)).toEqual(points(board, 'Z'))
    expect(Object.keys(points(board, 'Z', 0.05))).toEqual(['0', '2'])
    expect(Object.keys(points(board, 'Z', 24))).toHaveLength(25)
  })

  test('it goes on with the clock, and forgets what it leaves behind', () => {
    const { board, tell, clock } = given()
    tell('S', -30, 'on-going', ZONE)
    clock(60)
    expect(points(board, 'Z', 2)).toMatchObject({ [-35]: 0, [-30]: 1, 60: 1 })
    tell('S', 50, 'finished')
    clock(150)
    expect(points(board, 'Z', 2)).toMatchObject({ 30: 1, 45: 1, 50: 0, 150: 0 })
    clock(240)
    expect(new Set(Object.values(points(board, 'Z', 2)))).toEqual(new Set([0]))
  })

  test('a session that moved is counted in its new zone only from then on, and once in the whole', () => {
    const { board, tell } = given()
    tell('S', -30, 'on-going', { zone_id: 'Y', ends_at: at(-20) })
    tell('S', -10, 'captured', { kind: 'payment', ...ZONE })
    expect(board.zones(null)).toEqual([{ zone_id: 'Z', parked: 1, overdue: 1, by_status: { 'on-going': 1 } }])
    expect([ids(board, { zones: null, zone: 'Y' }), ids(board, { zones: null, zone: 'Z' })]).toEqual([[], ['S']])
    expect(points(board, 'Y')).toMatchObject({ [-35]: 0, [-30]: 1, [-15]: 1, [-10]: 0, 0: 0 })
    expect(points(board, 'Z')).toMatchObject({ [-30]: 0, [-15]: 0, [-10]: 1, 0: 1 })
    expect(points(board, null)).toMatchObject({ [-35]: 0, [-30]: 1, [-10]: 1, 0: 1 })
  })

  test('a zone that is named late is the one where it was from the start', () => {
    const { board, tell } = given()
    tell('S', -30, 'on-going')
    tell('S', -10, 'on-going', ZONE)
    expect(points(board, 'Z')).toMatchObject({ [-35]: 0, [-30]: 1, 0: 1 })
  })

  test('a session whose start was compacted away was parked before the window', () => {
    const { board, lane } = given()
    lane.tell('S', { at: START - 9 * HOUR })
    board.apply('S', lane.tell('S', { at: START - 30 * MINUTE, ...ZONE }))
    expect(points(board, 'Z')).toMatchObject({ [-60]: 1, [-30]: 1, 0: 1 })
    board.apply('S', lane.tell('S', { at: START - 10 * MINUTE, status: 'finished' }))
    expect(points(board, 'Z')).toMatchObject({ [-60]: 1, [-15]: 1, [-10]: 0, 0: 0 })
  })

  test('a session that goes on after its end was not parked between', () => {
    const { board, tell } = given()
    tell('S', -30, 'on-going', ZONE)
    tell('S', -20, 'expired')
    tell('S', -10, 'on-going')
    expect(points(board, 'Z')).toMatchObject({ [-30]: 1, [-25]: 1, [-20]: 0, [-15]: 0, [-10]: 1, 0: 1 })
  })

  test('a key that ended leaves no trace', () => {
    const { board, tell, end } = given()
    tell('S', -30, 'on-going', { zone_id: 'Y' })
    tell('S', -20, 'on-going', ZONE)
    tell('S', -10, 'finished')
    end('S')
    for (const zone of ['Y', 'Z', null]) expect(new Set(Object.values(points(board, zone)))).toEqual(new Set([0]))
  })

  test('a time ahead of the clock counts as now', () => {
    const { board, tell, clock } = given()
    tell('S', -30, 'on-going', ZONE)
    tell('S', 9_999, 'finished')
    tell('T', 9_999, 'on-going', ZONE)
    expect(points(board, 'Z')).toMatchObject({ [-30]: 1, [-5]: 1, 0: 1 })
    clock(3 * 60 + 1)
    expect(ids(board)).toEqual(['T'])
  })

  test('more moves in one step than a byte holds, or two, are counted', () => {
    const { board, tell } = given()
    for (let i = 0; i < 33_000; i++) tell(`S${i}`, -10, 'on-going', i < 200 ? ZONE : { zone_id: 'Y' })
    expect(points(board, 'Z')).toMatchObject({ [-15]: 0, [-10]: 200, 0: 200 })
    expect(points(board, 'Y')).toMatchObject({ [-15]: 0, [-10]: 32_800, 0: 32_800 })
    expect(points(board, null)).toMatchObject({ [-15]: 0, [-10]: 33_000 })
  })
})

describe('given more zones than may have a history', () => {
  test('the others have now only, until what moved there lies before the window and others gave theirs back', () => {
    const { board, tell, clock } = given({ mostHistories: 1 })
    tell('S', -30, 'on-going', ZONE)
    tell('T', -30, 'on-going', { zone_id: 'Y' })
    expect(points(board, 'Z')).toMatchObject({ [-35]: 0, [-30]: 1, 0: 1 })
    expect(points(board, 'Y')).toEqual({ 0: 1 })
    expect(points(board, null)).toMatchObject({ [-35]: 0, [-30]: 2, 0: 2 })
    clock(60)
    tell('T', 55, 'finished')
    expect(points(board, 'Y')).toEqual({ 60: 0 })
    clock(200)
    for (let i = 0; i < 10; i++) tell('S', 190 + i, 'on-going')
    tell('U', 199, 'on-going', { zone_id: 'Y' })
    expect(points(board, 'Y')).toMatchObject({ 195: 0, 200: 1 })
    expect(points(board, 'Z')).toMatchObject({ 140: 1, 200: 1 })
  })

  test('a zone that had moves without a history has none until those lie before the window, though there is room', () => {
    const { board, tell, clock } = given({ mostHistories: 1 })
    tell('S', -100, 'on-going', ZONE)
    tell('T', -50, 'on-going', { zone_id: 'Y' })
    clock(30)
    for (let i = 0; i < 10; i++) tell('S', 20 + i, 'on-going')
    tell('U', 29, 'on-going', { zone_id: 'Y' })
    expect(points(board, 'Y')).toEqual({ 30: 2 })
    tell('V', 29, 'on-going', { zone_id: 'X' })
    expect(points(board, 'X')).toMatchObject({ 25: 0, 30: 1 })
  })

  test('a zone in which nothing is left is forgotten, and its place taken by others', () => {
    const { board, tell, end, clock } = given()
    for (let round = 0; round < 20; round++) {
      clock(round * 200)
      for (let i = 0; i < 50; i++) tell(`${round} ${i}`, round * 200, 'on-going', { zone_id: `zone ${round} ${i}` })
      expect(board.zones(null).map(({ zone_id }) => zone_id)).toHaveLength(50)
      expect(points(board, `zone ${round} 7`)).toMatchObject({ [round * 200 - 5]: 0, [round * 200]: 1 })
      for (let i = 0; i < 50; i++) end(`${round} ${i}`)
    }
    expect([board.size, board.zones(null)]).toEqual([0, []])
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

test('a clock that is set back keeps what is overdue and what has left', () => {
  const { board, tell, clock } = given()
  tell('S', -10, 'on-going', { ...ZONE, ends_at: at(20) })
  tell('T', -9, 'finished')
  clock(300)
  expect([board.zone('Z').overdue, ids(board)]).toEqual([1, ['S']])
  clock(0)
  expect([board.zone('Z').overdue, ids(board), board.session('S')?.overdue]).toEqual([1, ['S'], true])
})

test('options that make no sense are refused', () => {
  expect(() => createBoard({ ...OPTIONS, keepEndedMs: HOUR })).toThrow('keepEndedMs is 3600000')
  expect(() => createBoard({ ...OPTIONS, stepMs: 0 })).toThrow('stepMs is 0')
})
