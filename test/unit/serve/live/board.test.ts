import { describe, expect, test } from '@jest/globals'
import { createBoard } from '../../../../src/serve/live/board.ts'
import { given, ids, points, ZONE } from './board-given.ts'
import { at, HOUR, OPTIONS } from './board-traffic.ts'

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
