import { describe, expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { parseSamples, total } from '../../../local/scrape.ts'
import { createAges } from '../../../src/operate/ages.ts'

describe('ages of records', () => {
  const NOW = 1_000_000
  function observed(...each: [since: number, records: number][]) {
    const registry = new Registry()
    const ages = createAges('pm_age_seconds', 'Age.', [registry], () => NOW)
    for (const [since, records] of each) ages.observe(since, records)
    return registry.metrics()
  }

  test('count each record of a chunk, in every bucket that it fits', async () => {
    const samples = parseSamples(await observed([NOW - 2_000, 1_500], [NOW - 20_000, 3]))
    const upTo = (le: string) => total(samples, 'pm_age_seconds_bucket', { le })
    expect(['1', '2.5', '10', '30', '3600', '+Inf'].map(upTo)).toEqual([0, 1_500, 1_500, 1_503, 1_503, 1_503])
    expect(total(samples, 'pm_age_seconds_count')).toBe(1_503)
    expect(total(samples, 'pm_age_seconds_sum')).toBe(3_060)
  })

  test('are never below 0: a producer whose clock runs ahead makes nothing fresher', async () => {
    const samples = parseSamples(await observed([NOW + 60_000, 5]))
    expect(total(samples, 'pm_age_seconds_bucket', { le: '0.1' })).toBe(5)
    expect(total(samples, 'pm_age_seconds_sum')).toBe(0)
  })

  test('are a histogram for Prometheus, and show every bucket from the start', async () => {
    const page = await observed()
    expect(page).toContain('# TYPE pm_age_seconds histogram')
    expect(page).toContain('pm_age_seconds_bucket{le="10"} 0')
    expect(page).toContain('pm_age_seconds_bucket{le="+Inf"} 0')
  })
})
