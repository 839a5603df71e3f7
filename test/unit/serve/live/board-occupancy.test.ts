import { describe, expect, test } from '@jest/globals'
import { given, ids, points, ZONE } from './board-given.ts'
import { at, HOUR, MINUTE, START } from './board-traffic.ts'

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

  test('a zone that is corrected by what was observed before it came is the one where it came', () => {
    const { board, tell } = given()
    tell('S', -40, 'captured', { kind: 'payment', zone_id: 'Y' })
    tell('S', -30, 'on-going')
    tell('S', -40, '404', { kind: 'error', ...ZONE })
    expect(points(board, 'Z')).toMatchObject({ [-40]: 0, [-35]: 0, [-30]: 1, 0: 1 })
    expect(new Set(Object.values(points(board, 'Y')))).toEqual(new Set([0]))
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
