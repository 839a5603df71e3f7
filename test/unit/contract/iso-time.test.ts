import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isoOf, msOf } from '../../../src/contract/iso-time.ts'

const anyTime = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.date({
    noInvalidDate: true,
    min: new Date('0000-01-01T00:00:00.000Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
  }),
)

test('a time is written as toISOString has it', () => {
  fc.assert(fc.property(anyTime, (date) => expect(isoOf(date.getTime())).toBe(date.toISOString())))
  expect(() => isoOf(8.64e15 + 1)).toThrow(RangeError)
})

test('a time of 24 characters is read back, and more than a thousand days are no trouble', () => {
  fc.assert(
    fc.property(anyTime, (date) => {
      const iso = date.toISOString()
      expect(msOf(iso)).toBe(iso.length === 24 ? date.getTime() : Number.NaN)
    }),
    { numRuns: 3_000 },
  )
})

test.each([
  ...['', 'yesterday', '2026-06-01T10:00:00Z', '2026-06-01T10:00:00.000+', '2026-06-01 10:00:00.000Z'],
  ...['2026-02-30T10:00:00.000Z', '2026-06-01T24:00:00.000Z', '2026-06-01T10:60:00.000Z', '2026-06-01T10:00:60.000Z'],
  ...['2026-06-01T1a:00:00.000Z', '2026-06-01T10:00:00.0 0Z', '2026-6-001T10:00:00.000Z'],
])('"%s" is not of that form', (text) => {
  expect(msOf(text)).toBeNaN()
})
