import { describe, expect, test } from '@jest/globals'
import { parseOptions } from '../../../src/commands/simulate/options.ts'

const NOW = Date.UTC(2024, 5, 2)

describe('the command line of simulate', () => {
  test('counts the default start back from now by the span of the traffic', () => {
    expect(new Date(parseOptions([], NOW).traffic.start).toISOString()).toBe('2024-06-01T00:00:00.000Z')
    const long = parseOptions(['--events', '40000000'], NOW).traffic
    expect(NOW - long.start).toBe(1_000_000_000)
  })

  test('goes on without end, at the pace of the clock, when only a rate is given', () => {
    const { events, rate, traffic } = parseOptions(['--rate', '20'], NOW)
    expect({ events, rate, pace: traffic.pace, start: traffic.start }).toEqual({
      events: null,
      rate: 20,
      pace: 20,
      start: NOW,
    })
  })

  test.each([
    [['--events', 'nine'], '--events nine'],
    [['--events', '1.5'], '--events 1.5'],
    [['--late', '2'], '--late 2'],
    [['--encoding', 'xml'], '--encoding xml'],
    [['--start', 'soon'], '--start soon'],
    [['--events', '0'], '--rate'],
    [['--duplicates', '0.5', '--late', '0.5'], 'no ordinary records'],
    [['--sed', '1'], '--sed'],
  ])('refuses %j and says why', (args, why) => {
    expect(() => parseOptions(args, NOW)).toThrow(why)
  })
})
