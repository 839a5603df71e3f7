import type { Metric, Registry } from 'prom-client'

/** Seconds. That of the freshness that is promised (helm/rules/slo.yaml) is among them. */
const BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]

/** A histogram of how old records were when something was done with them. */
export interface Ages {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** So many records, of which one was in Kafka at `since` (epoch ms), and the others about then. */
  observe(since: number, records: number): void
}

/**
 * Like a Histogram of prom-client, but takes many equal values at once: each record counts, and a chunk costs one look.
 * A clock that runs ahead makes nobody younger than 0.
 */
export function createAges(name: string, help: string, registers: readonly Registry[], now = Date.now): Ages {
  const counts = BOUNDS.map(() => 0)
  let [sum, count] = [0, 0]
  const sample = (suffix: string, value: number, labels: Record<string, number | string> = {}) => ({
    metricName: `${name}_${suffix}`,
    ...{ value, labels },
  })
  const ages = {
    ...{ name, help, labelNames: [] },
    observe(since: number, records: number) {
      const age = Math.max(0, now() - since) / 1_000
      sum += age * records
      count += records
      BOUNDS.forEach((bound, i) => {
        if (age <= bound) counts[i] = (counts[i] as number) + records
      })
    },
    /** What prom-client asks of a metric. */
    get: async () => ({
      ...{ name, help, type: 'histogram', aggregator: 'sum' },
      values: [
        ...BOUNDS.map((le, i) => sample('bucket', counts[i] as number, { le })),
        ...[sample('bucket', count, { le: '+Inf' }), sample('sum', sum), sample('count', count)],
      ],
    }),
  }
  for (const registry of registers) registry.registerMetric(ages as unknown as Metric)
  return ages
}
