/**
 * What became of the records of a chunk, by input partition: each record counts once, so that at any quiet moment the
 * records read of a partition are those stored, unchanged, expired on arrival, tombstones and dead letters.
 */
import type { Source } from './contract/record.ts'
import type { Placed, Rejected } from './place-chunk.ts'

/** `unchanged`: older than what is stored, or equal to it. */
export const OUTCOMES = ['stored', 'unchanged', 'expired', 'tombstone', 'dead_letter'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface Line {
  topic: string
  partition: number
  counts: Record<Outcome, number>
}

/** What a document comes to is known once it is written: until then its record is in no line. */
export interface Account {
  lines: Line[]
  /** Documents that are being written, and the line of each. */
  ids: string[]
  linesOfIds: Line[]
}

/** Of the records that share a document, the first that is stored has its outcome, and the others are unchanged. */
export function accountOf(placed: Placed, refused: readonly Rejected[]): Account {
  const account: Account = { lines: [], ids: [], linesOfIds: [] }
  const lineOf = createLines(account.lines)
  for (const record of placed.expired) lineOf(record).counts.expired++
  for (const { record } of [...placed.rejects, ...refused]) lineOf(record).counts.dead_letter++
  const unstored = new Set(refused.map(({ record }) => record))
  for (const [id, { parts }] of placed.entries) {
    let isOpen = false
    for (const { record } of parts) {
      if (unstored.has(record)) continue
      const line = lineOf(record)
      if (record.value === null) line.counts.tombstone++
      else if (isOpen) line.counts.unchanged++
      else {
        isOpen = true
        account.ids.push(id)
        account.linesOfIds.push(line)
      }
    }
  }
  return account
}

/** The line of a partition, a new one where there is none. Records of one partition come after each other. */
function createLines(lines: Line[]): (source: Source) => Line {
  let last: Line | undefined
  return ({ topic, partition }) => {
    const isIt = (line: Line) => line.partition === partition && line.topic === topic
    if (last !== undefined && isIt(last)) return last
    last = lines.find(isIt)
    if (last !== undefined) return last
    last = { topic, partition, counts: { ...NONE } }
    lines.push(last)
    return last
  }
}

const NONE: Record<Outcome, number> = { stored: 0, unchanged: 0, expired: 0, tombstone: 0, dead_letter: 0 }

/** Closes the account. @param kept ids of documents to which nothing was new. */
export function settle({ lines, ids, linesOfIds }: Account, kept: ReadonlySet<string>): Line[] {
  linesOfIds.forEach(({ counts }, i) => {
    counts[kept.has(ids[i] as string) ? 'unchanged' : 'stored']++
  })
  return lines
}
