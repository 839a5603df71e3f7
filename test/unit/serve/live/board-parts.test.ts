import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createDeadlines } from '../../../../src/serve/live/board/deadlines.ts'
import { createFewFirst } from '../../../../src/serve/live/board/few-first.ts'
import { Keeper } from '../../../../src/serve/live/board/keeper.ts'
import { link, unlink } from '../../../../src/serve/live/board/links.ts'
import { createNames } from '../../../../src/serve/live/board/names.ts'
import { createRows } from '../../../../src/serve/live/board/rows.ts'
import { timeOf } from '../../../../src/serve/live/board/session.ts'
import { createSlabs } from '../../../../src/serve/live/board/slabs.ts'
import { createTally } from '../../../../src/serve/live/board/tally.ts'
import { createLane, MINUTE, START } from './board-traffic.ts'

describe('slabs', () => {
  test('give places that do not overlap, whatever is taken and given back', () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 700 }), fc.constantFrom(65_536, 70_000, 200_000))
    const property = (steps: [number, boolean][]) => {
      const slabs = createSlabs()
      const taken = new Map<number, { place: number; size: number }>()
      for (const [i, [size, gives]] of steps.entries()) {
        const [oldest] = taken.keys()
        if (gives && oldest !== undefined) {
          slabs.give(taken.get(oldest)?.place as number)
          taken.delete(oldest)
        }
        const place = slabs.take(size)
        const from = slabs.offsetOf(place)
        slabs.bufferOf(place).fill(i % 251, from, from + size)
        expect(slabs.suits(place, size)).toBe(true)
        taken.set(i, { place, size })
      }
      for (const [i, { place, size }] of taken) {
        const from = slabs.offsetOf(place)
        const bytes = slabs.bufferOf(place).subarray(from, from + size)
        expect(bytes.length).toBe(size)
        expect(bytes.every((byte) => byte === i % 251)).toBe(true)
      }
    }
    fc.assert(fc.property(fc.array(fc.tuple(sizes, fc.boolean()), { maxLength: 60 }), property), { numRuns: 50 })
  })

  test('take what was given back before they take more memory', () => {
    const slabs = createSlabs()
    const places = Array.from({ length: 1_000 }, () => slabs.take(100))
    const { bytes } = slabs
    for (const place of places) slabs.give(place)
    for (let i = 0; i < 1_000; i++) slabs.take(97)
    expect(slabs.bytes).toBe(bytes)
    expect(slabs.suits(slabs.take(100), 200)).toBe(false)
  })
})

test('deadlines give the earliest of those that are there', () => {
  const property = (steps: { due: number; removes: number | null }[], now: number) => {
    const rows = createRows()
    const deadlines = createDeadlines(rows)
    const there: number[] = []
    for (const { due, removes } of steps) {
      const row = rows.take()
      rows.due[row] = due
      deadlines.add(row)
      there.push(row)
      if (removes !== null) for (const gone of there.splice(removes % there.length, 1)) deadlines.remove(gone)
    }
    const found: number[] = []
    for (let row = deadlines.before(now); row >= 0; row = deadlines.before(now)) {
      found.push(rows.due[row] as number)
      deadlines.remove(row)
    }
    const expected = there.map((row) => rows.due[row] as number).filter((due) => due < now)
    expect(found).toEqual(expected.sort((a, b) => a - b))
  }
  const step = fc.record({ due: fc.integer({ min: 0, max: 50 }), removes: fc.option(fc.nat(99)) })
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 60 }), property))
})

test('the first few of many are those that sorting gives', () => {
  const property = (offered: number[], most: number) => {
    const first = createFewFirst(most, (a, b) => a - b)
    for (const one of offered) first.offer(one)
    expect(first.rows()).toEqual([...offered].sort((a, b) => a - b).slice(0, most))
  }
  fc.assert(fc.property(fc.uniqueArray(fc.integer(), { maxLength: 100 }), fc.integer({ min: 1, max: 20 }), property))
})

test('a tally counts in chains that do not touch each other', () => {
  const property = (counted: { chain: number; number: number; less: boolean }[]) => {
    const tally = createTally()
    const first = [-1, -1, -1]
    const plain = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()]
    for (const { chain, number, less } of counted) {
      const counts = plain[chain] as Map<number, number>
      const count = counts.get(number) ?? 0
      if (less && count === 0) continue
      first[chain] = tally.count(first[chain] as number, number, less ? -1 : 1)
      counts.set(number, count + (less ? -1 : 1))
    }
    for (const [chain, counts] of plain.entries()) {
      expect(new Map(tally.of(first[chain] as number))).toEqual(new Map([...counts].filter(([, count]) => count > 0)))
    }
  }
  const one = fc.record({ chain: fc.nat(2), number: fc.nat(4), less: fc.boolean() })
  fc.assert(fc.property(fc.array(one, { maxLength: 300 }), property))
})

test('a name keeps its number as long as it is held, and gives it to another then', () => {
  const names = createNames()
  const first = names.hold('a')
  expect([names.hold('a'), names.hold('b')]).toEqual([first, first + 1])
  names.release(first)
  expect([names.numberOf('a'), names.textOf(first), names.size]).toEqual([first, 'a', 2])
  names.release(first)
  expect([names.numberOf('a'), names.size]).toEqual([-1, 1])
  expect([names.hold('c'), names.numberOf('a'), names.end]).toEqual([first, -1, 2])
})

test('rows go from list to list, and each list holds its own', () => {
  const property = (moves: { row: number; to: number }[]) => {
    const links = { prev: new Int32Array(8), next: new Int32Array(8) }
    const first = [-1, -1, -1]
    const plain: number[][] = [[], [], []]
    for (const { row, to } of moves) {
      const from = plain.findIndex((rows) => rows.includes(row))
      if (from >= 0) {
        first[from] = unlink(links, row) ?? (first[from] as number)
        plain[from] = (plain[from] as number[]).filter((other) => other !== row)
      }
      first[to] = link(links, row, first[to] as number)
      plain[to]?.unshift(row)
    }
    for (const [list, rows] of plain.entries()) {
      const found: number[] = []
      for (let row = first[list] as number; row >= 0; row = links.next[row] as number) found.push(row)
      expect(found).toEqual(rows)
    }
  }
  fc.assert(fc.property(fc.array(fc.record({ row: fc.nat(7), to: fc.nat(2) }), { maxLength: 60 }), property))
})

test('sessions that come and go, in ever new zones, words and sizes, take no more memory than those there at once', () => {
  const keeper = new Keeper(60 * MINUTE, { windowMs: 30 * MINUTE, stepMs: 5 * MINUTE, most: 1_000 })
  const lane = createLane()
  const sizes: number[] = []
  for (let round = 0; round < 40; round++) {
    const now = START + round * 40 * MINUTE
    for (let i = 0; i < 200; i++) {
      const key = `S${round} ${i}`
      const more = { zone_id: `zone ${round} ${i}`, card: `card ${'x'.repeat(i)}`, at: now - MINUTE }
      keeper.apply(key, lane.tell(key, { ...more, status: `word ${round}` }), now)
      const status = i % 2 ? 'finished' : 'on-going'
      keeper.apply(key, lane.tell(key, { ...more, zone_id: `other ${round} ${i}`, at: now, status }), now)
    }
    for (let i = 0; i < 200; i += 2) keeper.apply(`S${round} ${i}`, null, now)
    const { sessions, zones, words, rows } = keeper
    sizes.push(sessions.bytes + zones.names.end + words.end + rows.end)
    expect(zones.names.size).toBeLessThan(1_500)
  }
  expect(sizes.at(-1)).toBe(sizes[9])
})

test('a time is what Date reads, within what is kept, and 0 where that reads none', () => {
  const dates = fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  const near = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(8e12) }).map((date) => date.toISOString())
  const property = (text: string) => {
    const ms = Date.parse(text)
    expect(timeOf(text)).toBe(Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), 2 ** 48 - 1))
  }
  const others = ['', 'soon', '2026-06-01T10:00:00Z', '2026-06-01T10:00:00+02:00', '2026-06-01Txx:00:00.000Z']
  fc.assert(fc.property(fc.oneof(dates, near, fc.constantFrom(...others, '2024-02-29T23:59:59.999Z')), property))
})
