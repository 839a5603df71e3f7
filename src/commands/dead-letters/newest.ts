import type { Letter } from './letter.ts'

/** The summary of a reading of the topic: how many there are, by reason, source topic and day (UTC), and the newest. */
export interface Summary {
  readonly total: number
  /** Most first. */
  readonly reasons: Readonly<Record<string, number>>
  readonly sources: Readonly<Record<string, number>>
  /** Earliest first. */
  readonly days: Readonly<Record<string, number>>
  /** Newest first. */
  readonly letters: readonly Letter[]
}

/** Counts by name. Somebody else may write to the topic too: their names must not grow the summary without bound. */
function createCounts() {
  const counts = new Map<string, number>()
  return {
    add(name: string) {
      const known = counts.has(name) || counts.size < MOST_NAMES ? name : '(other)'
      counts.set(known, (counts.get(known) ?? 0) + 1)
    },
    sorted: (order: (a: readonly [string, number], b: readonly [string, number]) => number) =>
      Object.fromEntries([...counts].sort(order)),
  }
}

const MOST_NAMES = 50
/** Sorts the entries of counts, most first. */
export const byCount = ([, a]: readonly [string, number], [, b]: readonly [string, number]) => b - a
const byName = ([a]: readonly [string, number], [b]: readonly [string, number]) => (a < b ? -1 : 1)

const newestFirst = (a: Letter, b: Letter): number => {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1
  if (a.partition !== b.partition) return a.partition - b.partition
  return BigInt(a.offset) < BigInt(b.offset) ? 1 : -1
}

/** Gathers letters in any order and keeps the `limit` newest; memory does not grow with the topic. */
export function createNewest(limit: number): { add(letter: Letter): void; summary(): Summary } {
  let kept: Letter[] = []
  let total = 0
  const [reasons, sources, days] = [createCounts(), createCounts(), createCounts()]
  const trim = () => {
    kept = kept.sort(newestFirst).slice(0, limit)
  }
  return {
    add(letter) {
      total++
      reasons.add(letter.reason)
      sources.add(letter.source.topic ?? '(unknown)')
      days.add(letter.time.slice(0, 10))
      kept.push(letter)
      if (kept.length >= 2 * limit + 1000) trim()
    },
    summary() {
      trim()
      return {
        total,
        reasons: reasons.sorted(byCount),
        sources: sources.sorted(byCount),
        days: days.sorted(byName),
        letters: kept,
      }
    },
  }
}
