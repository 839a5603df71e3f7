import { type Round, remarksOn } from './round.ts'
import type { Spread } from './statistics.ts'

/** How many of these rounds others may have slowed. */
export const countDoubted = (rounds: { doubts: string[] }[]): number =>
  rounds.filter(({ doubts }) => doubts.length > 0).length

/** A line of the table: what is compared, and what it must and should be. */
export interface Line {
  measure: string
  unit: '' | 'MiB' | '%' | 's'
  value: Spread
  must: number
  aim: number
  better: 'higher' | 'lower'
  /** Of the rounds that it stands on. */
  doubted: number
}

export interface Report {
  at: string
  machine: Record<string, string>
  options: Record<string, unknown>
  lines: Line[]
  rounds: Round[]
  /** Whatever else a measure wants kept. */
  details: Record<string, unknown>
}

const digits = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2))

function verdict({ value: { median }, must, aim, better, doubted }: Line): string {
  const reaches = (goal: number) => (better === 'higher' ? median >= goal : median <= goal)
  const said = reaches(aim) ? 'aim reached' : reaches(must) ? 'good enough' : 'too little'
  return doubted === 0 ? said : `${said}; ${doubted} rounds doubted`
}

const goal = (line: Line, value: number) => `${line.better === 'higher' ? '≥' : '≤'} ${value}${unit(line)}`
const unit = ({ unit }: Line) => (unit === '' ? '' : ` ${unit}`)

const HEAD = ['measure', 'median', 'from – to', 'must', 'aim', '']

function lineCells(line: Line): string[] {
  const { median, min, max } = line.value
  const range = `${digits(min)} – ${digits(max)}`
  return [line.measure, digits(median) + unit(line), range, goal(line, line.must), goal(line, line.aim), verdict(line)]
}

const ROUND_HEAD = ['round', 'records/s', 'µs a record', 'by process', 'peak MiB', 'remarks']

function roundCells(round: Round): string[] {
  const by = Object.entries(round.micros)
    .filter(([name]) => name !== 'bench')
    .map(([name, value]) => `${name} ${value.toFixed(1)}`)
  return [
    `${round.scenario}, ${round.side}`,
    String(Math.round(round.perSecond)),
    round.total.toFixed(1),
    by.join(', '),
    String(round.peakMemory),
    remarksOn(round),
  ]
}

export function tables(report: Report, markdown: boolean): string {
  const table = markdown ? asMarkdown : asText
  const parts: string[] = []
  if (report.lines.length > 0) parts.push(table(HEAD, report.lines.map(lineCells)))
  if (report.rounds.length > 0) parts.push(table(ROUND_HEAD, report.rounds.map(roundCells)))
  parts.push(
    Object.entries({ ...report.machine, ...report.options })
      .map(([name, value]) => `${name}: ${value}`)
      .join(' · '),
  )
  if (report.lines.some(({ doubted }) => doubted > 0) || report.rounds.some(({ doubts }) => doubts.length > 0)) {
    parts.push('Doubted rounds give no figures to keep: run it on a machine with nothing else to do.')
  }
  return `${parts.join('\n\n')}\n`
}

function asText(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function asMarkdown(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
