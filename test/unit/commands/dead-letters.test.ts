import { describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import { isChosen, optionsOf, parseChoice } from '../../../src/commands/dead-letters/choose.ts'
import { headerText, printable, toLetter } from '../../../src/commands/dead-letters/letter.ts'
import { createNewest } from '../../../src/commands/dead-letters/newest.ts'
import { createSeen } from '../../../src/commands/dead-letters/seen.ts'
import { hexDump, parsePosition } from '../../../src/commands/dead-letters/show.ts'

const message = (headers: KafkaMessage['headers'], timestamp = '1767225600000'): KafkaMessage =>
  ({ offset: '7', timestamp, headers, key: null, value: null, attributes: 0 }) as KafkaMessage

describe('a dead letter', () => {
  test('is read from its headers', () => {
    const letter = toLetter(
      3,
      message({
        dead_letter_reason: Buffer.from('invalid_json'),
        dead_letter_message: Buffer.from('no JSON'),
        dead_letter_source_topic: Buffer.from('parkmobile.events'),
        dead_letter_source_partition: Buffer.from('4'),
        dead_letter_source_offset: Buffer.from('9007199254740993'),
        dead_letter_source_timestamp: Buffer.from('1767225500000'),
      }),
    )
    expect(letter).toEqual({
      partition: 3,
      offset: '7',
      time: '2026-01-01T00:00:00.000Z',
      reason: 'invalid_json',
      message: 'no JSON',
      source: {
        topic: 'parkmobile.events',
        partition: 4,
        offset: '9007199254740993',
        timestamp: '2025-12-31T23:58:20.000Z',
      },
      altered: {},
      replays: 0,
      origin: 'parkmobile.events/4/9007199254740993',
    })
  })

  test('of somebody else is shown as far as it goes', () => {
    expect(toLetter(0, message(undefined))).toMatchObject({
      reason: 'unknown',
      source: { topic: null, partition: null },
    })
    expect(toLetter(0, message({ dead_letter_source_timestamp: 'soon' })).source.timestamp).toBeNull()
  })

  test('header that is no text is given in hex', () => {
    expect(headerText({ a: Buffer.from([0xff, 0]) }, 'a')).toBe('0xff00')
    expect(headerText({ a: ['x', 'y'] }, 'a')).toBe('x')
    expect(headerText({}, 'a')).toBeNull()
  })

  test('cannot steer the terminal', () => {
    expect(printable('a\x1b[2Jb\x07\n\tc')).toBe('a\\x1b[2Jb\\x07\n\tc')
  })
})

describe('the newest dead letters', () => {
  const letter = (n: number, reason = 'invalid_json') => ({
    ...toLetter(n % 3, message({ dead_letter_reason: reason }, String(1767225600000 + n))),
    offset: String(n),
  })

  test('are kept, newest first, whatever the order they came in', () => {
    const newest = createNewest(3)
    for (const n of [5, 1, 9, 3, 7]) newest.add(letter(n))
    expect(newest.summary().letters.map(({ offset }) => offset)).toEqual(['9', '7', '5'])
  })

  test('are counted by reason, the most frequent first', () => {
    const newest = createNewest(1)
    for (let n = 0; n < 5000; n++) newest.add(letter(n, n % 10 === 0 ? 'too_deep' : 'invalid_json'))
    const { total, reasons, letters } = newest.summary()
    expect(total).toBe(5000)
    expect(Object.entries(reasons)).toEqual([
      ['invalid_json', 4500],
      ['too_deep', 500],
    ])
    expect(letters.map(({ offset }) => offset)).toEqual(['4999'])
  })

  test('do not let strange reasons grow the summary without bound', () => {
    const newest = createNewest(1)
    for (let n = 0; n < 1000; n++) newest.add(letter(n, `reason ${n}`))
    expect(Object.keys(newest.summary().reasons)).toHaveLength(51)
    expect(newest.summary().reasons['(other)']).toBe(950)
  })
})

describe('a choice', () => {
  const letter = toLetter(0, message({ dead_letter_reason: 'too_deep', dead_letter_source_topic: 'a topic' }))

  test.each([
    [{}, true],
    [{ reason: 'too_deep', source: 'a topic' }, true],
    [{ reason: 'invalid_json' }, false],
    [{ source: 'another' }, false],
    [{ since: '2026-01-01' }, true],
    [{ since: '2026-01-01T00:00:00.001Z' }, false],
    [{ until: '2026-01-01T00:00:00.001Z' }, true],
    [{ until: '2026-01-01T01:00:00+01:00' }, false],
    [{ since: '24h' }, false],
    [{ until: '1d' }, true],
  ])('%j', (options, chosen) => expect(isChosen(letter, parseChoice(options))).toBe(chosen))

  test('that is none is an error', () => {
    for (const since of ['yesterday', '24', '5w', '']) expect(() => parseChoice({ since })).toThrow('--since')
  })

  test('is written as options again, safe in a shell', () => {
    const choice = parseChoice({ reason: "it's", until: '2026-01-01T00:00:00Z' })
    expect(optionsOf(choice)).toBe(String.raw`--reason 'it'\''s' --until 2026-01-01T00:00:00.000Z`)
  })
})

test('a source is seen again only where topic, partition and offset are the same', () => {
  const isRepeated = createSeen()
  const at = (topic: string, partition: number, offset: string) =>
    isRepeated({ ...toLetter(0, message({})), source: { topic, partition, offset, timestamp: null } })
  const places: [string, number, string][] = [
    ['a', 1, '5'],
    ['a', 1, '6'],
    ['a', 2, '5'],
    ['b', 1, '5'],
    ['a', 1, '1048581'],
  ]
  expect(places.map((place) => at(...place))).toEqual([false, false, false, false, false])
  expect(places.map((place) => at(...place))).toEqual([true, true, true, true, true])
})

describe('show', () => {
  test('reads the position that list prints', () => {
    expect(parsePosition('3:17')).toEqual({ partition: 3, offset: 17n })
    for (const text of ['3', '3:', ':17', '3:-1', 'a:b', undefined]) expect(() => parsePosition(text)).toThrow('3:17')
  })

  test('dumps bytes as hex and text', () => {
    expect(hexDump(Buffer.from('\x00\x01parking'))).toBe(
      `00000000  00 01 70 61 72 6b 69 6e 67${' '.repeat(22)} ..parking`,
    )
    expect(hexDump(Buffer.alloc(2000))).toMatch(/… and 976 bytes more/)
  })
})
