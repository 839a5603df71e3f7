import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { toJson } from '../../../src/simulate/json.ts'
import { createSummary } from '../../../src/simulate/summary.ts'
import { traffic } from '../../../src/simulate/traffic.ts'
import type { AvroEncoder, TrafficOptions, TrafficRecord } from '../../../src/simulate/traffic-record.ts'

const START = Date.UTC(2024, 5, 1)
const OPTIONS: TrafficOptions = {
  seed: 'autumn',
  start: START,
  pace: 0.5,
  dayCurve: true,
  encoding: 'mixed',
  shares: { duplicates: 0.1, late: 0.05, malformed: 0.01, tombstones: 0.002, spread: 0.02 },
}

/** Stands for Avro where only its place in the traffic matters. */
const asText: AvroEncoder = (_, body) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), Buffer.from(toJson(body))])

function records(count: number, options: Partial<TrafficOptions> = {}): TrafficRecord[] {
  const all: TrafficRecord[] = []
  for (const record of traffic({ ...OPTIONS, ...options }, asText)) {
    all.push(record)
    if (all.length === count) break
  }
  return all
}

function digest(all: TrafficRecord[]): string {
  const hash = createHash('sha256')
  for (const { type, key, value, place } of all) hash.update(`${type} ${key} ${place} `).update(value ?? 'null')
  return hash.digest('hex')
}

describe('simulated traffic', () => {
  test('is the same to the byte for the same seed and start', () => {
    expect(digest(records(5000))).toBe(digest(records(5000)))
  })

  test('is the same for a seed on every machine and in every version, so that a seed in a report can be run again', () => {
    expect(digest(records(5000)).slice(0, 16)).toMatchInlineSnapshot(`"776f8858c901e4fe"`)
  })

  test('differs with the seed', () => {
    expect(digest(records(100))).not.toBe(digest(records(100, { seed: 'spring' })))
  })

  test('comes in order of delivery, from the start on', () => {
    const times = records(5000).map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(START)
  })

  test('holds the shares that were asked for', () => {
    const all = records(60_000)
    const share = (is: (record: TrafficRecord) => boolean) => all.filter(is).length / all.length
    expect(share(({ category }) => category === 'duplicate')).toBeCloseTo(0.1, 1.5)
    expect(share(({ category }) => category === 'late')).toBeCloseTo(0.05, 1.5)
    expect(share(({ category }) => category === 'malformed')).toBeCloseTo(0.01, 2)
    expect(share(({ category }) => category === 'tombstone')).toBeCloseTo(0.002, 2.5)
    expect(share(({ encoding }) => encoding === 'avro')).toBeCloseTo(0.5, 1.5)
  })

  test('repeats the bytes of an earlier record for a duplicate, on the same partition', () => {
    const seen = new Set<string>()
    const mark = ({ type, key, value, place }: TrafficRecord) => `${type} ${key} ${place} ${value?.toString('hex')}`
    const fresh = records(20_000).filter((record) => {
      const known = seen.has(mark(record))
      seen.add(mark(record))
      return record.category === 'duplicate' && !known
    })
    expect(fresh).toEqual([])
  })

  test('has nothing but ordinary records when all shares are 0', () => {
    const shares = { duplicates: 0, late: 0, malformed: 0, tombstones: 0, spread: 0 }
    const all = records(5000, { shares, encoding: 'json' })
    expect(new Set(all.map(({ category }) => category))).toEqual(new Set(['ordinary']))
    for (const { value } of all) expect(JSON.parse(String(value))).toEqual(expect.any(Object))
  })

  test('tells by its summary what it was', () => {
    const summary = createSummary()
    for (const record of records(5000)) summary.count(record.type, record)
    const { records: total, byCategory, byTopic, byLabel, sessions } = summary.read()
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0)
    expect([total, sum(byCategory), sum(byTopic), sum(byLabel)]).toEqual([5000, 5000, 5000, 5000])
    expect(sessions).toBeGreaterThan(300)
    expect(byLabel).toMatchObject({ parking_start: expect.any(Number), '/rates/zone': expect.any(Number) })
  })
})
