import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Clock, clockNamedIn, clockOf } from '../../../src/normalize/time-zone.ts'

const newYork = clockOf('America/New_York') as Clock
const at = (text: string) => Date.parse(`${text}Z`)
const read = (clock: Clock, text: string) => new Date(clock(at(text))).toISOString()

describe('the clock of a zone', () => {
  test('knows summer and winter', () => {
    expect(read(newYork, '2023-06-01T15:36:15')).toBe('2023-06-01T19:36:15.000Z')
    expect(read(newYork, '2023-12-01T15:36:15.123')).toBe('2023-12-01T20:36:15.123Z')
  })

  test('takes the hour that is left out for an hour later, and the first of the hour that is there twice', () => {
    expect(read(newYork, '2023-03-12T01:59:59')).toBe('2023-03-12T06:59:59.000Z')
    expect(read(newYork, '2023-03-12T02:30:00')).toBe('2023-03-12T07:30:00.000Z')
    expect(read(newYork, '2023-03-12T03:00:00')).toBe('2023-03-12T07:00:00.000Z')
    expect(read(newYork, '2023-11-05T00:59:59')).toBe('2023-11-05T04:59:59.000Z')
    expect(read(newYork, '2023-11-05T01:30:00')).toBe('2023-11-05T05:30:00.000Z')
    expect(read(newYork, '2023-11-05T02:00:00')).toBe('2023-11-05T07:00:00.000Z')
  })

  test.each([
    ['Eastern Standard Time', 'America/New_York'],
    ['Eastern Daylight Time', 'America/New_York'],
    ['  pacific standard time ', 'America/Los_Angeles'],
    ['W. Europe Standard Time', 'Europe/Amsterdam'],
    ['europe/amsterdam', 'Europe/Amsterdam'],
    ['EDT', 'America/New_York'],
    ['BST', 'Europe/London'],
  ])('%s is that of %s', (name, zone) => {
    for (const text of ['2023-06-01T12:00:00', '2023-12-01T12:00:00'])
      expect(read(clockOf(name) as Clock, text)).toBe(read(clockOf(zone) as Clock, text))
  })

  test.each(['', 'nowhere', 'Mars/Olympus', '+02:00', 'IST', 'Singapore', '4111111111111111'])(
    'there is none for "%s"',
    (name) => expect(clockOf(name)).toBeNull(),
  )

  test('shows the time that it reads, where it shows that time at all', () => {
    const shown = (time: number, timeZone: string) =>
      `${new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(time)}`.replace(
        ' ',
        'T',
      )
    fc.assert(
      fc.property(
        fc.constantFrom('America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia'),
        fc.integer({ min: at('1971-01-01T00:00:00') / 1000, max: at('2037-12-31T00:00:00') / 1000 }),
        (zone, seconds) => {
          const text = shown(seconds * 1000, zone)
          expect(shown((clockOf(zone) as Clock)(at(text)), zone)).toBe(text)
        },
      ),
    )
  })
})

describe('the zone that an object names', () => {
  test('is found in any casing, IANA before Windows names', () => {
    const named = clockNamedIn({ timeZoneStandardName: 'Pacific Standard Time', time_zone_id: 'America/New_York' })
    expect(read(named as Clock, '2023-06-01T12:00:00')).toBe('2023-06-01T16:00:00.000Z')
  })

  test('is none where the name is not known, or is no text', () => {
    expect(clockNamedIn({ timezone: 'Mars/Olympus', tz: 5 })).toBeNull()
  })
})
