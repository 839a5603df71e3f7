import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Board, type Choice, createBoard } from '../../../../src/serve/live/board.ts'
import { CARDS, HOUR, MINUTE, OPTIONS, observed, START, type Told, toldOf, ZONES } from './board-traffic.ts'
import { NaiveBoard } from './naive-board.ts'

const KEYS = ['A', 'B', 'C', 'D', 'E']

const choices: fc.Arbitrary<Choice> = fc.record(
  {
    zones: fc.option(fc.subarray([...ZONES, 'elsewhere']).map((zones) => new Set(zones))),
    zone: fc.constantFrom(...ZONES, 'elsewhere'),
    status: fc.constantFrom('on-going', 'finished', 'never heard of'),
    card: fc.subarray([...CARDS, 'tok_other']),
  },
  { requiredKeys: ['zones'] },
)

/** All that a board answers without a choice. */
const answers = (board: Board | NaiveBoard) => ({
  parked: board.parked,
  zones: board.zones(null),
  some: board.zones(new Set(['Z2', 'Z3', 'elsewhere'])),
  each: ZONES.map((zone) => board.zone(zone)),
  sessions: KEYS.map((key) => board.session(key)),
  occupancy: [null, ...ZONES, 'elsewhere'].map((zone) => [board.occupancy(zone, 2), board.occupancy(zone, 0.4)]),
})

function allPages(board: Board, choice: Choice, limit: number) {
  const all = []
  for (let page = board.sessions(choice, { limit }); ; page = board.sessions(choice, { limit, before: page.next })) {
    expect(page.sessions.length).toBeLessThanOrEqual(limit)
    all.push(...page.sessions)
    if (!page.next) return all
  }
}

function boardOf(told: readonly Told[], now = START): Board {
  const board = createBoard({ ...OPTIONS, now: () => now })
  for (const { key, update } of told) board.apply(key, update)
  return board
}

/** Four partitions, one to a key, in an order that `picks` decide. */
function interleaved(told: readonly Told[], picks: readonly number[]): Told[] {
  const left = KEYS.map((key) => told.filter((one) => one.key === key)).filter((partition) => partition.length > 0)
  const merged: Told[] = []
  for (let i = 0; left.length > 0; i++) {
    const at = (picks[i % picks.length] ?? 0) % left.length
    merged.push(left[at]?.shift() as Told)
    if (left[at]?.length === 0) left.splice(at, 1)
  }
  return merged
}

const traffic = fc.array(observed, { maxLength: 40 })
const picks = fc.array(fc.nat(3), { minLength: 1 })

describe('whatever is told', () => {
  test('the board answers what follows from all updates, while the clock goes on, and back', () => {
    const ticks = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 120 })), { minLength: 1 })
    const property = (all: Parameters<typeof toldOf>[0], minutes: number[], choice: Choice, limit: number) => {
      let now = START
      const clock = { ...OPTIONS, now: () => now }
      const board = createBoard(clock)
      const naive = new NaiveBoard(clock)
      for (const [i, { key, update }] of toldOf(all).entries()) {
        now += (minutes[i % minutes.length] as number) * MINUTE
        board.apply(key, update)
        naive.apply(key, update)
        if (i % 5 === 4) expect(answers(board)).toEqual(answers(naive))
        if (i % 9 === 8) expect(allPages(board, choice, limit)).toEqual(naive.sessions(choice))
      }
      now += 20 * MINUTE
      expect(answers(board)).toEqual(answers(naive))
      expect(allPages(board, choice, limit)).toEqual(naive.sessions(choice))
    }
    fc.assert(fc.property(traffic, ticks, choices, fc.integer({ min: 1, max: 4 }), property), { numRuns: 200 })
  })

  test('partitions may be read in any order', () => {
    const property = (all: Parameters<typeof toldOf>[0], one: number[], other: number[]) => {
      const told = toldOf(all)
      expect(answers(boardOf(interleaved(told, one)))).toEqual(answers(boardOf(interleaved(told, other))))
    }
    fc.assert(fc.property(traffic, picks, picks, property))
  })

  test('a part of the topic may be read again, also over ended keys', () => {
    const property = (all: Parameters<typeof toldOf>[0], from: number) => {
      const told = toldOf(all)
      const again = [...told, ...told.slice(from % (told.length + 1))]
      expect(answers(boardOf(again))).toEqual(answers(boardOf(told)))
      expect(boardOf(again).sessions({ zones: null }, { limit: 9 })).toEqual(
        boardOf(told).sessions({ zones: null }, { limit: 9 }),
      )
    }
    fc.assert(fc.property(traffic, fc.nat(60), property))
  })

  test('what is parked is in the last point, no point is below zero, and zones add up to the whole', () => {
    const named = observed.map((one) => ({ ...one, zone_id: one.zone_id ?? 'Z1' }))
    const property = (all: Parameters<typeof toldOf>[0]) => {
      const board = boardOf(toldOf(all))
      const whole = board.occupancy(null, 2).points.map(({ parked }) => parked)
      const parts = ZONES.map((zone) => board.occupancy(zone, 2).points.map(({ parked }) => parked))
      expect(whole.at(-1)).toBe(board.parked)
      expect(parts.map((points) => points.at(-1))).toEqual(ZONES.map((zone) => board.zone(zone).parked))
      expect(Math.min(...parts.flat())).toBeGreaterThanOrEqual(0)
      expect(whole).toEqual(whole.map((_, i) => parts.reduce((sum, points) => sum + (points[i] as number), 0)))
    }
    fc.assert(fc.property(fc.array(named, { maxLength: 60 }), property))
  })

  test('compaction of what is older than the window changes no count and no point', () => {
    const whole = observed.map((one) => ({ ...one, ends: false, hasSession: true, zone_id: 'Z1' }))
    const property = (all: Parameters<typeof toldOf>[0]) => {
      const told = toldOf([...all].sort((a, b) => a.minute - b.minute))
      const isLast = ({ key }: Told, i: number) => told.findLastIndex((one) => one.key === key) === i
      const isKept = ({ update }: Told) =>
        Date.parse(update?.occurred_at ?? '') > START - OPTIONS.historyMs - 5 * MINUTE
      const compacted = told.filter((one, i) => isKept(one) || isLast(one, i))
      const [before, after] = [boardOf(told), boardOf(compacted)]
      for (const zone of ['Z1', null]) expect(after.occupancy(zone, 2)).toEqual(before.occupancy(zone, 2))
      expect(after.zone('Z1').by_status).toEqual(before.zone('Z1').by_status)
    }
    fc.assert(fc.property(fc.array(whole, { maxLength: 40 }), property))
  })

  test('nothing is left of keys that have ended, nor, after a while, of sessions that are over', () => {
    const property = (all: Parameters<typeof toldOf>[0], ends: boolean) => {
      let now = START
      const board = createBoard({ ...OPTIONS, now: () => now })
      for (const { key, update } of toldOf(all)) board.apply(key, update)
      const parked = ends ? 0 : board.parked
      for (const key of ends ? KEYS : []) board.apply(key, null)
      now += ends ? 0 : OPTIONS.keepEndedMs + HOUR
      expect(ZONES.reduce((sum, zone) => sum + board.zone(zone).parked, 0)).toBeLessThanOrEqual(parked)
      expect([board.size, board.parked]).toEqual([parked, parked])
      for (const zone of [null, ...ZONES]) {
        const points = board.occupancy(zone, 2).points.map((point) => point.parked)
        expect(new Set(points)).toEqual(new Set([zone === null ? parked : board.zone(zone).parked]))
      }
    }
    fc.assert(fc.property(traffic, fc.boolean(), property))
  })
})
