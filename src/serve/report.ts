/** `GET /v1/cache`, from what the metrics have counted. */
import type { CacheReport, Layer } from '../contract/api.ts'
import type { ReadThrough } from './cache/read-through.ts'
import type { Live } from './live/live.ts'
import { LAYERS, type ServeMetrics } from './metrics.ts'

export interface Reported {
  cache: ReadThrough
  /** Whether MongoDB tells of changes. */
  isTold: () => boolean
  live: Live
  metrics: ServeMetrics
  primary: { readonly state: 'closed' | 'open' | 'half-open' } | null
  mostBytes: number
}

export async function cacheReport({
  cache,
  isTold,
  live,
  metrics,
  primary,
  mostBytes,
}: Reported): Promise<CacheReport> {
  const lookUps = await lookUpsOf(metrics)
  const { hit = 0, negative = 0, stale = 0 } = lookUps.memory
  const all = Object.values(lookUps.memory).reduce((sum, count) => sum + count, 0)
  const [evictions] = (await metrics.evictions.get()).values
  return {
    look_ups: lookUps,
    hit_ratio: all === 0 ? null : (hit + negative + stale) / all,
    load_seconds: await loadSeconds(metrics),
    ...{ entries: cache.size, bytes: cache.bytes, most_bytes: mostBytes, evictions: evictions?.value ?? 0 },
    primary: primary?.state ?? 'none',
    mongodb: isTold() ? 'up' : 'down',
    kafka: live.awaySeconds() === 0 ? 'up' : 'down',
    ...{ lag: live.lag(), stream_clients: live.hub.size },
  }
}

async function lookUpsOf({ lookUps }: ServeMetrics): Promise<CacheReport['look_ups']> {
  const report: CacheReport['look_ups'] = { memory: {}, mongodb: {}, primary: {} }
  for (const { labels, value } of (await lookUps.get()).values) {
    const { layer, outcome } = labels as { layer: Layer; outcome: keyof CacheReport['look_ups'][Layer] }
    report[layer][outcome] = value
  }
  return report
}

async function loadSeconds({ loadDuration }: ServeMetrics): Promise<CacheReport['load_seconds']> {
  const { values } = await loadDuration.get()
  const report: CacheReport['load_seconds'] = {}
  for (const layer of LAYERS) {
    const buckets = values
      .filter(({ labels, metricName }) => labels.layer === layer && metricName?.endsWith('_bucket'))
      .map(({ labels, value }) => ({ upTo: Number((labels as { le?: string }).le), value }))
    const count = buckets.at(-1)?.value ?? 0
    if (count > 0) report[layer] = { count, p50: quantile(buckets, count * 0.5), p99: quantile(buckets, count * 0.99) }
  }
  return report
}

/** Within its bucket as Prometheus puts it: in proportion. */
function quantile(buckets: { upTo: number; value: number }[], rank: number): number {
  let before = { upTo: 0, value: 0 }
  for (const bucket of buckets) {
    if (bucket.value >= rank) {
      if (!Number.isFinite(bucket.upTo)) return before.upTo
      return before.upTo + ((bucket.upTo - before.upTo) * (rank - before.value)) / (bucket.value - before.value)
    }
    before = bucket
  }
  return before.upTo
}
