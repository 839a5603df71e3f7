import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { nextRun } from '../../../src/normalize/digit-runs.ts'

function runsIn(text: string, alone: boolean): string[] {
  const runs: string[] = []
  for (let run = nextRun(text, 0, alone); run !== null; run = nextRun(text, run.end, alone))
    runs.push(text.slice(run.start, run.end))
  return runs
}

/** The same in two lines; but they fail on millions of digits. */
const EXPRESSIONS = [/\d(?:[ \-\u00a0–]?\d){12,}/g, /(?<![\p{L}\p{N}])\d(?:[ \-\u00a0–]?\d){12,}/gu] as const

describe('runs of digits', () => {
  test('are what a regular expression finds', () => {
    const digits = fc.stringMatching(/^[0-9]{1,20}$/)
    const part = fc.oneof({ arbitrary: digits, weight: 3 }, fc.constantFrom(' ', '-', '\u00a0', '–', '  ', 'A', 'é', '😀', '𝒜', '٣', '.', '_', '/', ':', '[', '`', '{', '@')) // biome-ignore format: one alphabet
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        for (const [i, expression] of EXPRESSIONS.entries())
          expect(runsIn(text, i === 1)).toEqual(text.match(expression) ?? [])
      }),
      { numRuns: 20_000 },
    )
  })

  test('may be millions long', () => {
    const text = '4 '.repeat(8_000_000)
    expect(runsIn(`x${text}`, true)[0]).toHaveLength(text.length - 3)
    expect(() => text.match(EXPRESSIONS[0])).toThrow(RangeError)
  })
})
