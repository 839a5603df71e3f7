import type { Letter } from './letter.ts'

/** The summary of a reading of the topic: how many there are by reason, and the newest. */
export interface Summary {
  readonly total: number
  readonly reasons: Readonly<Record<string, number>>
  /** Newest first. */
  readonly letters: readonly Letter[]
}

const MOST_REASONS = 50

const newestFirst = (a: Letter, b: Letter): number => {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1
  if (a.partition !== b.partition) return a.partition - b.partition
  return BigInt(a.offset) < BigInt(b.offset) ? 1 : -1
}

/** Gathers letters in any order and keeps the `limit` newest; memory does not grow with the topic. */
export function createNewest(limit: number): { add(letter: Letter): void; summary(): Summary } {
  let kept: Letter[] = []
  let total = 0
  const reasons = new Map<string, number>()
  const trim = () => {
    kept = kept.sort(newestFirst).slice(0, limit)
  }
  return {
    add(letter) {
      total++
      // Somebody else may write to the topic too: their reasons must not grow the summary without bound.
      const reason = reasons.has(letter.reason) || reasons.size < MOST_REASONS ? letter.reason : '(other)'
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      kept.push(letter)
      if (kept.length >= 2 * limit + 1000) trim()
    },
    summary() {
      trim()
      const byCount = [...reasons].sort(([, a], [, b]) => b - a)
      return { total, reasons: Object.fromEntries(byCount), letters: kept }
    },
  }
}
