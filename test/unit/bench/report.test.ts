import { describe, expect, test } from '@jest/globals'
import { niceTop, svgOf } from '../../../bench/chart.ts'
import { parseBenchOptions } from '../../../bench/options.ts'
import { type Line, type Report, tables } from '../../../bench/report.ts'
import type { Round } from '../../../bench/round.ts'
import { quantile, ratios, spread } from '../../../bench/statistics.ts'
import { windowOf } from '../../../bench/window.ts'

const usage = { seconds: 2, own: { program: 0.6, mongod: 0.2, bench: 0.4 }, foreign: 0.02, load: 1 }

const line: Line = {
  measure: 'records/s ÷ the peer’s',
  unit: '',
  value: { median: 2.5, min: 2.4, max: 2.7 },
  must: 2,
  aim: 3,
  better: 'higher',
  doubted: 0,
}

const report = (lines: Line[], rounds: Round[] = []): Report => ({
  at: '2026-01-01T00:00:00.000Z',
  machine: { machine: '2 × one' },
  options: {},
  lines,
  rounds,
  details: {},
})

describe('a window', () => {
  test('gives microseconds a record by process, and a sum without those of the bench', () => {
    const window = windowOf(10_000, usage)
    expect(window.perSecond).toBe(5_000)
    expect(window.micros.program).toBeCloseTo(60)
    expect(window.total).toBeCloseTo(80)
    expect(window.doubts).toEqual([])
  })

  test('is doubted when others used the machine', () => {
    expect(windowOf(10_000, { ...usage, foreign: 0.5 }).doubts).toEqual(['others used 50 % of a processor (load 1.0)'])
  })
})

describe('the figures', () => {
  test('are medians with their spread', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(quantile([5], 0.99)).toBe(5)
  })

  test('are compared round by round', () => {
    expect(ratios([20, 30, 40], [10, 10, 20])).toEqual({ median: 2, min: 2, max: 3 })
  })
})

describe('the table', () => {
  test('says how each measure stands to what it must and should be', () => {
    const lower = { ...line, measure: 'cost', must: 0.4, aim: 0.25, better: 'lower' as const }
    const text = tables(report([line, { ...lower, value: spread([0.2]) }, { ...lower, value: spread([0.5]) }]), false)
    expect(text).toMatch(/peer’s +2\.50 +2\.40 – 2\.70 +≥ 2 +≥ 3 +good enough\n/)
    expect(text).toMatch(/cost +0\.20 .*aim reached\n/)
    expect(text).toMatch(/cost +0\.50 .*too little/)
  })

  test('is Markdown when asked for', () => {
    expect(tables(report([line]), true)).toContain(
      '| records/s ÷ the peer’s | 2.50 | 2.40 – 2.70 | ≥ 2 | ≥ 3 | good enough |',
    )
  })

  test('says that rounds are doubted', () => {
    const window = windowOf(10_000, { ...usage, foreign: 0.5 })
    const round: Round = {
      ...window,
      side: 'ours',
      scenario: 'new',
      documents: 1,
      peakMemory: 1,
      errors: ['1 documents in place of 2'],
    }
    const text = tables(report([{ ...line, doubted: 1 }], [round]), false)
    expect(text).toContain('good enough; 1 rounds doubted')
    expect(text).toContain('WRONG: 1 documents in place of 2; doubted: others used 50 %')
    expect(text).toContain('Doubted rounds give no figures to keep')
  })
})

describe('the options', () => {
  test('leave out the heavy measures unless they are asked for', () => {
    expect(parseBenchOptions([]).measures).not.toContain('growth')
    expect(parseBenchOptions(['--heavy']).measures).toContain('growth')
    expect(parseBenchOptions(['--only', 'growth']).measures).toEqual(['growth'])
  })

  test('name what is wrong with them', () => {
    expect(() => parseBenchOptions(['--only', 'everything'])).toThrow('--only everything: there are speed, ')
    expect(() => parseBenchOptions(['--plot', 'all'])).toThrow('--plot all: there are partitions, ')
    expect(() => parseBenchOptions(['--rounds', 'many'])).toThrow('--rounds many: give a whole number from 1 on')
  })
})

describe('a picture', () => {
  test('has a dot for each value, none for a gap, and text that cannot break it', () => {
    const series = [
      { name: 'ours', colour: '#111', values: [1, 2] },
      { name: 'a < b', colour: '#222', values: [3, null] },
    ]
    const svg = svgOf({ title: 'T & T', axis: 'x', at: ['1', '2'], panels: [{ title: 'p', series }] })
    expect(svg.match(/r="3.5"/g)).toHaveLength(3)
    expect(svg).toContain('T &amp; T')
    expect(svg).toContain('a &lt; b')
  })

  test('has an axis that ends on a round number', () => {
    expect([7, 23, 180, 8_100, 0].map(niceTop)).toEqual([8, 40, 200, 10_000, 1])
  })
})
