import type { Outcome, Verdict } from './run.ts'

/** Sums over the runs of one scenario. */
export interface Totals extends Verdict {
  runs: number
  records: number
  counts: Record<string, number>
}

export function totalsOf({ records, verdict, counts }: Outcome, before?: Totals): Totals {
  const sum = (name: keyof Verdict) => (before?.[name] ?? 0) + verdict[name]
  const names = Object.keys(verdict) as (keyof Verdict)[]
  const summed = Object.fromEntries(names.map((name) => [name, sum(name)])) as unknown as Verdict
  const together = { ...before?.counts }
  for (const [what, count] of Object.entries(counts)) together[what] = (together[what] ?? 0) + count
  return { runs: (before?.runs ?? 0) + 1, records: (before?.records ?? 0) + records, ...summed, counts: together }
}

const COLUMNS: [title: string, of: (totals: Totals) => number][] = [
  ['runs', ({ runs }) => runs],
  ['records', ({ records }) => records],
  ['lost', ({ lost }) => lost],
  ['duplicated', ({ duplicated }) => duplicated],
  ['wrong previous', ({ wrongPreviousStatus }) => wrongPreviousStatus],
  ['order broken', ({ orderBroken }) => orderBroken],
  ['revision gaps', ({ revisionGaps }) => revisionGaps],
  ['documents differ', ({ documentsThatDiffer }) => documentsThatDiffer],
  ['otherwise wrong', ({ otherwiseWrong }) => otherwiseWrong],
]

/** The totals, in Markdown. */
export function table(totals: ReadonlyMap<string, Totals>, failures: number): string {
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const rows = [...totals].map(([name, sums]) => {
    const counted = Object.entries(sums.counts).map(([what, count]) => `${what} ${count}`)
    return row([name, ...COLUMNS.map(([, of]) => of(sums)), counted.join(', ')])
  })
  const heads = row(['scenario', ...COLUMNS.map(([title]) => title), 'also'])
  const line = row(['---', ...COLUMNS.map(() => '---:'), '---'])
  return [heads, line, ...rows, '', `${failures} runs went wrong`].join('\n')
}
