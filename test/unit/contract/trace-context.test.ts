import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  flagsOf,
  isSampled,
  spanIdOf,
  traceIdOf,
  traceparent,
  traceparentOf,
} from '../../../src/contract/trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const SAMPLED = `00-${TRACE}-${SPAN}-01`

describe('a traceparent header', () => {
  test.each([
    ['text', SAMPLED],
    ['bytes', Buffer.from(SAMPLED)],
  ])('is taken as %s', (_, header) => {
    expect(traceparentOf(header)).toBe(SAMPLED)
  })

  test.each([
    ['missing', undefined],
    ['without a value', null],
    ['there twice', [SAMPLED, SAMPLED]],
    ['empty', ''],
    ['of an invalid version', `ff-${TRACE}-${SPAN}-01`],
    ['of a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['of a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in capitals', SAMPLED.toUpperCase()],
    ['with blanks', ` ${SAMPLED} `],
    ['with a line break', `${SAMPLED}\n`],
    ['of version 00 with more behind it', `${SAMPLED}-more`],
    ['of a later version with bytes that are no characters', `01-${TRACE}-${SPAN}-01-\u0000`],
    ['of a later version with more behind it than anybody needs', `01-${TRACE}-${SPAN}-01-${'x'.repeat(1_000)}`],
    ['a card number', '4111111111111111'],
  ])('is not taken when it is %s', (_, header) => {
    expect(traceparentOf(header)).toBeNull()
  })

  test('of a later version is taken for what version 00 says', () => {
    expect(traceparentOf(`01-${TRACE}-${SPAN}-ff`)).toBe(`00-${TRACE}-${SPAN}-03`)
    expect(traceparentOf(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)).toBe(SAMPLED)
  })

  test('gives back what it is made of', () => {
    const context = traceparent(TRACE, SPAN, 0)
    expect(context).toBe(`00-${TRACE}-${SPAN}-00`)
    expect([traceIdOf(context), spanIdOf(context), flagsOf(context), isSampled(context)]).toEqual([
      TRACE,
      SPAN,
      0,
      false,
    ])
    expect(isSampled(traceparent(TRACE, SPAN, 3))).toBe(true)
  })

  test('is null or fits the grammar, whatever comes', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('00', '01', TRACE, SPAN, '-', '0'.repeat(32)))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const context = traceparentOf(parts.join('-'))
        if (context !== null) expect(context).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
      }),
    )
  })
})
