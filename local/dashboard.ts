import { type Sample, scrape, total } from './scrape.ts'

/** What the processor has done since it started. */
export interface Reading {
  /** Epoch milliseconds. */
  at: number
  records: number
  documents: number
  updates: number
  deadLetters: number
  /** Records that wait; an estimate, refreshed by the processor every ten seconds. */
  lag: number
  details: { inserted: number; updated: number; unchanged: number; changed: number; confirmed: number }
}

export async function takeReading(metricsUrl: string): Promise<Reading> {
  return readingOf(await scrape(metricsUrl), Date.now())
}

export function readingOf(samples: Sample[], at: number): Reading {
  const documents = (...result: string[]) => total(samples, 'pm_documents_total', { result })
  const updates = (...type: string[]) => total(samples, 'pm_status_updates_total', { type })
  return {
    at,
    records: total(samples, 'pm_records_consumed_total', { stage: 'ingest' }),
    documents: documents('inserted', 'updated', 'tombstone'),
    updates: updates('changed', 'confirmed'),
    deadLetters: total(samples, 'pm_dead_letters_total'),
    lag: total(samples, 'pm_consumer_lag_records'),
    details: {
      inserted: documents('inserted'),
      updated: documents('updated'),
      unchanged: documents('unchanged'),
      changed: updates('changed'),
      confirmed: updates('confirmed'),
    },
  }
}

type Row = [title: string, key: 'records' | 'documents' | 'updates' | 'deadLetters']

const ROWS: Row[] = [
  ['records in', 'records'],
  ['documents written', 'documents'],
  ['status updates out', 'updates'],
  ['dead letters', 'deadLetters'],
]

const count = (value: number) => value.toLocaleString('en-US')

/** Per second between two readings, or null when there is no earlier one. */
function rate(now: Reading, before: Reading | null, key: Row[1]): number | null {
  if (before === null || now.at <= before.at) return null
  return ((now[key] - before[key]) * 1_000) / (now.at - before.at)
}

/** The table of one reading; `before` gives the rates. */
export function table(now: Reading, before: Reading | null): string[] {
  const { inserted, updated, unchanged, changed, confirmed } = now.details
  const notes: Partial<Record<Row[1], string>> = {
    documents: `inserted ${count(inserted)}, updated ${count(updated)}; left as they were ${count(unchanged)}`,
    updates: `changed ${count(changed)}, confirmed ${count(confirmed)}`,
  }
  const lines = ROWS.map(([title, key]) => {
    const perSecond = rate(now, before, key)
    const speed = perSecond === null ? '' : `${perSecond.toFixed(0)}/s`
    return `  ${title.padEnd(20)}${count(now[key]).padStart(12)}${speed.padStart(10)}   ${notes[key] ?? ''}`.trimEnd()
  })
  return [...lines, `  ${'lag'.padEnd(20)}${count(now.lag).padStart(12)}`]
}

/** The same on one line, for where there is no terminal. */
export function oneLine(now: Reading, before: Reading | null): string {
  const parts = ROWS.map(([title, key]) => {
    const perSecond = rate(now, before, key)
    return `${title} ${count(now[key])}${perSecond === null ? '' : ` (${perSecond.toFixed(0)}/s)`}`
  })
  return [...parts, `lag ${count(now.lag)}`].join(' | ')
}

/** Draws over what it drew before. Long lines wrap, so that a command on them can still be copied. */
export function createScreen(output: NodeJS.WriteStream): (lines: string[]) => void {
  let drawn = 0
  return (lines) => {
    const width = output.columns || 80
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`
    output.write(`${up}\u001b[0J${lines.join('\n')}\n`)
    drawn = lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / width)), 0)
  }
}
