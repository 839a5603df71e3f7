import { describe, expect, test } from '@jest/globals'
import {
  age,
  bytes,
  count,
  createClock,
  latency,
  many,
  percent,
  plain,
  rate,
  sentences,
  span,
  utc,
} from '../../../web/src/format.ts'

describe('numbers', () => {
  test('are grouped', () => expect(count(1_284)).toBe('1,284'))

  test('of something a second have a fraction while they are small', () => {
    expect([0, 0.44, 12.55, 1_284.4].map(rate)).toEqual(['0', '0.4', '12.6', '1,284'])
  })

  test('in percent are rounded down: 100% is all', () => {
    expect([0, 0.5, 0.9739, 0.99999, 1].map(percent)).toEqual(['0%', '50%', '97.3%', '99.9%', '100%'])
  })

  test('of bytes have the unit that fits', () => {
    expect([0, 1_023, 1_024, 64_382_566, 2 ** 50].map(bytes)).toEqual([
      '0 B',
      '1,020 B',
      '1 KiB',
      '61.4 MiB',
      '1,020 TiB',
    ])
  })

  test('of seconds are told in milliseconds below one', () => {
    expect([0.00042, 0.0184, 1.234].map(latency)).toEqual(['0.42 ms', '18.4 ms', '1.23 s'])
  })

  test('go with their noun', () => {
    expect([many(1, 'zone'), many(2_000, 'zone')]).toEqual(['1 zone', '2,000 zones'])
  })
})

describe('times', () => {
  const now = Date.parse('2026-06-03T12:00:00.000Z')
  const clock = createClock('UTC')

  test('of today are clock times, others have their date', () => {
    const at = (iso: string) => clock.at(Date.parse(iso), now)
    expect(at('2026-06-03T00:02:11.500Z')).toBe('00:02:11')
    expect(at('2026-06-02T23:59:59.000Z')).toBe('2 Jun, 23:59')
    expect(at('2025-06-03T12:00:00.000Z')).toBe('3 Jun 2025, 12:00')
  })

  test('are those of the zone', () => {
    expect(createClock('America/New_York').at(now, now)).toBe('08:00:00')
  })

  test('are told as ages', () => {
    expect([0, 999, 12_000, 3 * 60_000, 2.9 * 3_600_000, 5 * 86_400_000].map((ms) => age(now - ms, now))).toEqual([
      'now',
      'now',
      '12 s ago',
      '3 min ago',
      '2 h ago',
      '5 d ago',
    ])
    expect(age(now + 61_000, now)).toBe('in 1 min')
    expect(span(0)).toBe('0 s')
  })

  test('in UTC are the same instant, or the text as it came', () => {
    expect(utc('2026-06-03T14:00:00.123+02:00')).toBe('2026-06-03 12:00:00.123 UTC')
    expect(utc('yesterday')).toBe('yesterday')
  })
})

test('what has no word of its own is shown as JSON', () => {
  expect([null, undefined, '', 0, 'a', { a: 1 }].map(plain)).toEqual(['–', '–', '–', '0', 'a', '{"a":1}'])
})

test('sentences of others have one stop each', () => {
  expect(sentences('Forbidden', 'The scope is missing.', undefined, '')).toBe('Forbidden. The scope is missing.')
})
