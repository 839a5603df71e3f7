import { describe, expect, test } from '@jest/globals'
import type { TrafficRecord } from '../../../bench/event.ts'
import { expected } from '../../../bench/expected.ts'
import {
  extendingTraffic,
  freshTraffic,
  mixedTraffic,
  newShape,
  openingTraffic,
  partlyExisting,
  type Traffic,
} from '../../../bench/traffic.ts'

const shape = newShape(1)
const ids = ({ records }: Traffic) => [...records].map(({ value }) => value.event_id)
const left = (...topics: Traffic[]) => expected(topics.map(({ records }) => records))
const promised = ({ documents, updates }: Traffic) => ({ documents, updates })

describe('the traffic of the bench', () => {
  test('is the same whenever it is asked for', () => {
    const { records } = freshTraffic(shape, 500)
    expect([...records]).toEqual([...records])
  })

  test('has records of about 500 bytes, or of the size asked for', () => {
    const bytes = ({ value }: TrafficRecord) => JSON.stringify(value).length
    for (const record of freshTraffic(shape, 100).records) expect(Math.abs(bytes(record) - 500)).toBeLessThan(50)
    for (const record of freshTraffic(newShape(1, 4_000), 100).records) {
      expect(Math.abs(bytes(record) - 4_000)).toBeLessThan(200)
    }
  })

  test('has an id of its own and a status update for each new record', () => {
    const fresh = freshTraffic(shape, 24_000)
    expect(new Set(ids(fresh)).size).toBe(24_000)
    expect(left(fresh)).toEqual(promised(fresh))
  })

  test('gives a session four events, from its start to its stop', () => {
    const bySession = Map.groupBy(freshTraffic(shape, 20_000).records, ({ key }) => key)
    expect(bySession.size).toBe(5_000)
    for (const events of bySession.values()) {
      expect(events.map(({ value }) => value.event_type)).toEqual([
        'parking_start',
        'payment_completed',
        'parking_extend',
        'parking_stop',
      ])
    }
  })

  test('opens a session with each record, and then extends any of them', () => {
    const opening = openingTraffic(shape, 12_000)
    const extending = extendingTraffic(shape, 12_000, 4_000)
    const sessions = new Set([...opening.records].map(({ key }) => key))
    expect(sessions.size).toBe(12_000)
    for (const { key } of extending.records) expect(sessions).toContain(key)
    expect(left(opening, extending)).toEqual(promised(extending))
  })

  test('leaves what it promises when a share of the ids exists already', () => {
    const before = freshTraffic(shape, 20_000)
    for (const share of [0.25, 1]) {
      const partly = partlyExisting(shape, 20_000, 8_000, share, 0)
      const there = new Set(ids(before))
      const existing = ids(partly).filter((id) => there.has(id)).length
      expect(Math.abs(existing / 8_000 - share)).toBeLessThan(0.02)
      expect(left(before, partly)).toEqual(promised(partly))
    }
  })

  test('mixes 20 % of existing ids with late and repeated records', () => {
    const before = new Set(ids(freshTraffic(shape, 20_000)))
    const mixed = mixedTraffic(shape, 20_000, 20_000)
    const all = ids(mixed)
    const existing = all.filter((id) => before.has(id)).length
    expect(Math.abs(existing / 20_000 - 0.2)).toBeLessThan(0.01)
    expect(new Set(all).size).toBeLessThan(20_000 - existing / 10) // some come twice
    expect(mixed.documents).toBe(new Set([...before, ...all]).size)
    // Of the existing ones only those with newer content move a head, and late ones do not.
    expect(Math.abs((mixed.updates - 20_000) / 20_000 - 0.766)).toBeLessThan(0.02)
  })
})
