import { describe, expect, test } from '@jest/globals'
import type { CacheReport } from '../../../src/contract/api.ts'
import { createCacheHistory } from '../../../web/src/cache-history.ts'

const report = (memory: CacheReport['look_ups']['memory']) =>
  ({ look_ups: { memory, mongodb: {}, primary: {} } }) as CacheReport

describe('the history of the cache', () => {
  test('is of what happened between two reports', () => {
    const history = createCacheHistory(10)
    history.add(report({ hit: 1_000, miss: 1_000 }), 0)
    expect(history.samples.get()).toEqual([])
    history.add(report({ hit: 1_008, miss: 1_001, stale: 1 }), 2_000)
    expect(history.samples.get()).toEqual([{ at: 2_000, hitRatio: 0.9, lookUpsPerSecond: 5 }])
  })

  test('has a gap where nobody asked, and where the counters began anew', () => {
    const history = createCacheHistory(10)
    history.add(report({ hit: 10 }), 0)
    history.add(report({ hit: 10 }), 1_000)
    history.add(report({ hit: 2 }), 2_000)
    history.add(report({ hit: 4 }), 3_000)
    expect(history.samples.get()).toEqual([
      { at: 1_000, hitRatio: null, lookUpsPerSecond: 0 },
      { at: 2_000, hitRatio: null, lookUpsPerSecond: null },
      { at: 3_000, hitRatio: 1, lookUpsPerSecond: 2 },
    ])
  })

  test('is bounded', () => {
    const history = createCacheHistory(2)
    for (let i = 0; i < 9; i++) history.add(report({ hit: i }), i * 1_000)
    expect(history.samples.get().map(({ at }) => at)).toEqual([7_000, 8_000])
  })
})
