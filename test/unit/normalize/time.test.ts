import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readTime } from '../../../src/normalize/time.ts'
import { decimalOf } from '../../support/decimal.ts'

const NOON = Date.UTC(2023, 5, 1, 12, 30, 15)

describe('a time is read as', () => {
  test.each([
    ['ISO with Z', '2023-06-01T12:30:15Z', NOON],
    ['ISO without a zone, which is UTC', '2023-06-01T12:30:15', NOON],
    ['ISO with a blank and small letters', '2023-06-01 12:30:15z', NOON],
    ['ISO with offset -0000', '2023-06-01T12:30:15-0000', NOON],
    ['ISO with an offset of hours and minutes', '2023-06-01T18:00:15+05:30', NOON],
    ['ISO with an offset without colon', '2023-06-01T07:30:15-0500', NOON],
    ['ISO with an offset of hours', '2023-06-01T14:30:15+02', NOON],
    ['ISO with seven fraction digits', '2023-06-01T12:30:15.1239999', NOON + 123],
    ['ISO with one fraction digit', '2023-06-01T12:30:15.5Z', NOON + 500],
    ['ISO without seconds', '2023-06-01T12:30Z', NOON - 15_000],
    ['a day', '2023-06-01', Date.UTC(2023, 5, 1)],
    ['epoch milliseconds', NOON + 7, NOON + 7],
    ['epoch seconds', NOON / 1000, NOON],
    ['epoch seconds with a fraction', NOON / 1000 + 0.25, NOON + 250],
    ['epoch milliseconds as text', String(NOON), NOON],
    ['epoch seconds as text', String(NOON / 1000), NOON],
    ['epoch milliseconds as bigint', BigInt(NOON), NOON],
    ['epoch seconds with nanoseconds', decimalOf('1685622615.123456789'), 1_685_622_615_123],
    ['a leap day', '2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['the American way', '06/01/2023 12:30:15', NOON],
    ['the American way by twelve hours', '6/1/2023 12:30:15 PM', NOON],
    ['the American way after midnight', '6/1/2023 12:30 AM', Date.UTC(2023, 5, 1, 0, 30)],
    ['the American way with a fraction', '06/01/2023 12:30:15.1239', NOON + 123],
    ['an American day', '06/01/2023', Date.UTC(2023, 5, 1)],
  ])('%s', (_, text, expected) => expect(readTime(text)).toBe(expected))
})

describe('a time is null when it is', () => {
  test.each([
    ['missing', undefined],
    ['null', null],
    ['empty', ''],
    ['a word', 'yesterday'],
    ['an object', {}],
    ['a day that is none', '2023-02-29T00:00:00Z'],
    ['a month that is none', '2023-13-01T00:00:00Z'],
    ['an hour that is none', '2023-06-01T24:30:00Z'],
    ['followed by something', '2023-06-01T12:30:15Z!'],
    ['with a bare dot', '2023-06-01T12:30:15.Z'],
    ['with ten fraction digits', '2023-06-01T12:30:15.0123456789Z'],
    ['an American month that is none', '13/01/2023 12:30:15'],
    ['an American day that is none', '02/29/2023'],
    ['13 PM', '06/01/2023 13:30:15 PM'],
    ['with half an offset', '2023-06-01T12:30:15+05:3'],
    ['zero', 0],
    ['negative', -5],
    ['after the year 9999', 253_402_300_800_000],
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['before 1970', '1969-12-31T23:59:59Z'],
  ])('%s', (_, value) => expect(readTime(value)).toBeNull())
})

test('a time is null when any of its characters is another, or it is cut within its time of day', () => {
  const time = '2023-06-01T12:30:15.123+02:00'
  for (const before of [time, '2024-01-01T00:00:00Z']) {
    for (let i = 0; i < time.length; i++) {
      readTime(before) // what was read before does not matter
      expect(readTime(`${time.slice(0, i)}x${time.slice(i + 1)}`)).toBeNull()
    }
  }
  for (const length of [11, 12, 13, 14, 15, 17, 18, 20, 24, 25, 28]) expect(readTime(time.slice(0, length))).toBeNull()
})

describe('a clock reads what has no zone, and only that', () => {
  const anHourAhead = (shown: number) => shown - 3_600_000
  test.each([
    ['2023-06-01T12:30:15', NOON - 3_600_000],
    ['2023-06-01 12:30:15.5', NOON + 500 - 3_600_000],
    ['06/01/2023 12:30:15', NOON - 3_600_000],
    ['2023-06-01', Date.UTC(2023, 4, 31, 23)],
    ['2023-06-01T12:30:15Z', NOON],
    ['2023-06-01T12:30:15-0000', NOON],
    [NOON, NOON],
    [String(NOON), NOON],
  ])('%s', (written, expected) => expect(readTime(written, anHourAhead)).toBe(expected))
})

const anyTime = fc.integer({ min: Date.UTC(1973, 3, 1), max: Date.UTC(9999, 11, 30) })

test('every form of one moment gives that moment', () => {
  fc.assert(
    fc.property(
      anyTime,
      fc.integer({ min: -18 * 60, max: 18 * 60 }),
      fc.integer({ min: 0, max: 9 }),
      (at, minutes, width) => {
        const size = Math.abs(minutes)
        const two = (n: number) => String(n).padStart(2, '0')
        const local = new Date(at + minutes * 60_000)
        fc.pre(local.getUTCFullYear() <= 9999)
        const fraction = `${local.toISOString().slice(20, 23)}987654`.slice(0, width)
        const sign = minutes < 0 ? '-' : '+'
        const written = `${local.toISOString().slice(0, 19)}${width > 0 ? `.${fraction}` : ''}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`
        const kept = width >= 3 ? at : at - (at % 1000) + Number(fraction.padEnd(3, '0') || 0)
        expect(readTime(written)).toBe(kept)
      },
    ),
  )
})

test('it agrees with Date on whatever toISOString writes', () => {
  fc.assert(fc.property(anyTime, (at) => expect(readTime(new Date(at).toISOString())).toBe(at)))
})

test('it never throws, and never gives what is no time', () => {
  const digitsAndSigns = fc.string({ unit: fc.constantFrom(...'0123456789-:.TZ+ ') })
  fc.assert(
    fc.property(fc.oneof(digitsAndSigns, fc.string(), fc.double(), fc.bigInt()), (value) => {
      const time = readTime(value)
      expect(time === null || (time > 0 && new Date(time).getUTCFullYear() <= 9999)).toBe(true)
    }),
  )
})
