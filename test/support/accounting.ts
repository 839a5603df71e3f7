import { type Sample, total } from '../../local/scrape.ts'

/** Records by what became of them, over all partitions. */
export type Outcomes = Record<string, number>

export interface Accounts {
  outcomes: Outcomes
  /** Records that ingest has read of a partition and not told the fate of, or told twice; none where all is well. */
  unaccounted: number
}

/** The accounts of one processor at a quiet moment, by its metrics. */
export function accountsOf(samples: Sample[]): Accounts {
  const outcomes: Outcomes = {}
  for (const { name, labels, value } of samples) {
    if (name !== 'pm_input_records_total') continue
    outcomes[labels.outcome as string] = (outcomes[labels.outcome as string] ?? 0) + value
  }
  let unaccounted = 0
  for (const { name, labels, value } of samples) {
    if (name !== 'pm_records_consumed_total' || labels.stage !== 'ingest') continue
    const { topic = '', partition = '' } = labels
    unaccounted += Math.abs(value - total(samples, 'pm_input_records_total', { topic, partition }))
  }
  return { outcomes, unaccounted }
}

export function sumOf(accounts: readonly Accounts[]): Accounts {
  const sum: Accounts = { outcomes: {}, unaccounted: 0 }
  for (const { outcomes, unaccounted } of accounts) {
    sum.unaccounted += unaccounted
    for (const [name, count] of Object.entries(outcomes)) sum.outcomes[name] = (sum.outcomes[name] ?? 0) + count
  }
  return sum
}
