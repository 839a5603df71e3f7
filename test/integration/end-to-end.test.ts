import { describe, expect, test } from '@jest/globals'
import { isRight, tellReport } from '../support/compare.ts'
import { type RunOptions, type RunOutcome, runTraffic } from '../support/run-traffic.ts'
import { sharedServices } from '../support/services.ts'

const CITY: RunOptions = {
  events: 20_000,
  seed: 'a day',
  kills: 0,
  processors: 1,
  encoding: 'mixed',
  chunkRecords: [2000],
}
const TIMEOUT_MS = 600_000

/** Runs, and fails with the whole report when anything differs from the model. */
async function run(options: Partial<RunOptions>): Promise<RunOutcome> {
  const outcome = await runTraffic(sharedServices().env, { ...CITY, ...options })
  if (!isRight(outcome)) throw new Error(tellReport(outcome))
  return outcome
}

describe('the processor makes of a day of traffic just what the model says', () => {
  test(
    'undisturbed, JSON and Avro mixed',
    async () => {
      const { figures, outcomes } = await run({})
      expect(figures).toMatchObject({ records: CITY.events, 'documents that the order of partitions decides': 0 })
      expect(figures.documents).toBeGreaterThan(15_000)
      expect(figures.updates).toBeGreaterThan(10_000)
      expect(figures['dead letters']).toBeGreaterThan(100)
      expect(figures['keys with an exact sequence']).toBeGreaterThan(500)
      const { stored = 0, unchanged = 0, ...rest } = outcomes
      expect(rest).toEqual({
        dead_letter: figures['dead letters'],
        expired: figures['records expired on arrival'],
        tombstone: figures.tombstones,
      })
      expect(stored).toBeGreaterThanOrEqual((figures.documents as number) - (figures.tombstones as number))
      expect(unchanged).toBeGreaterThan(500)
      expect(stored + unchanged + Object.values(rest).reduce((sum, count) => sum + count)).toBe(CITY.events)
    },
    TIMEOUT_MS,
  )

  test(
    'killed at random moments and started again with another chunk size',
    async () => {
      const { kills } = await run({ kills: 3, chunkRecords: [50, 100, 300], seed: 'killed' })
      expect(kills).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  test(
    'while a second processor joins and one of them leaves',
    async () => {
      const { joins, leaves } = await run({ processors: 2, chunkRecords: [40], seed: 'two', events: 40_000 })
      expect([joins, leaves]).toEqual([1, 1])
    },
    TIMEOUT_MS,
  )
})
