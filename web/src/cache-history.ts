import type { CacheReport } from '../../src/contract/api.ts'
import { createStore, type Store } from './store.ts'

/** What happened between two reports. Null: nobody asked, or the counters began anew. */
export interface Sample {
  at: number
  /** Of the look-ups between them, the part that memory answered. */
  hitRatio: number | null
  lookUpsPerSecond: number | null
}

export interface CacheHistory {
  samples: Store<readonly Sample[]>
  add(report: CacheReport, at: number): void
}

interface Counters {
  at: number
  all: number
  answered: number
}

/** Every look-up asks memory first, so memory's outcomes are all there are. */
function countersOf({ look_ups: { memory } }: CacheReport, at: number): Counters {
  const all = Object.values(memory).reduce((sum, n) => sum + n, 0)
  return { at, all, answered: (memory.hit ?? 0) + (memory.stale ?? 0) + (memory.negative ?? 0) }
}

/** Keeps so many samples, the newest last. */
export function createCacheHistory(most: number): CacheHistory {
  const samples = createStore<readonly Sample[]>([])
  let before: Counters | null = null
  return {
    samples,
    add(report, at) {
      const now = countersOf(report, at)
      if (before !== null && at > before.at) samples.set([...samples.get(), sampleOf(before, now)].slice(-most))
      before = now
    },
  }
}

function sampleOf(before: Counters, now: Counters): Sample {
  const asked = now.all - before.all
  const answered = now.answered - before.answered
  const anew = asked < 0 || answered < 0
  return {
    at: now.at,
    hitRatio: anew || asked === 0 ? null : answered / asked,
    lookUpsPerSecond: anew ? null : asked / ((now.at - before.at) / 1_000),
  }
}
