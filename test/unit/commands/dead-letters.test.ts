import { describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import { headerText, printable, toLetter } from '../../../src/commands/dead-letters/letter.ts'
import { createNewest } from '../../../src/commands/dead-letters/newest.ts'
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
