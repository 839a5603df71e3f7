import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../../local/build.ts'
import { type Cluster, startCluster } from '../../local/cluster.ts'
import { tellReport } from '../support/compare.ts'
import { isFlawless, playScenario } from './run.ts'
import { scenarios } from './scenarios.ts'

/** In one file, since all share one cluster and each wants it for itself. */
const SEED = 'a bounded share'
const TIMEOUT_MS = 600_000

let cluster: Cluster
beforeAll(async () => {
  await build(() => undefined)
  cluster = await startCluster()
}, 300_000)
afterAll(async () => cluster?.[Symbol.asyncDispose](), 60_000)

describe('nothing is lost, repeated, out of order or told wrongly after', () => {
  test.each(scenarios.filter(({ long }) => !long))(
    '$name',
    async (scenario) => {
      const outcome = await playScenario(cluster, scenario, { seed: SEED })
      expect(isFlawless(outcome) ? '' : tellReport(outcome.report)).toBe('')
      expect(outcome.records).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )
})
