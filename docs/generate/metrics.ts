import type { Registry } from 'prom-client'
import { createMetrics } from '../../src/operate/metrics.ts'
import { createServeMetrics } from '../../src/serve/metrics.ts'
import { code, page, table } from './markdown.ts'

type Metrics = { registry: Registry } & Record<string, unknown>

async function metricsTable({ registry, ...metrics }: Metrics): Promise<string> {
  const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]))
  const ours = Object.values(metrics).filter((metric) => typeof metric !== 'function')
  const rows = ours.map((metric) => {
    const { name, help, labelNames } = metric as { name: string; help: string; labelNames: string[] }
    return [code(name), types.get(name) ?? '', labelNames.map(code).join(', '), help]
  })
  return table(['metric', 'type', 'labels', 'meaning'], rows)
}

export async function metricsPage(): Promise<string> {
  return page(
    'Metrics',
    'src/operate/metrics.ts and src/serve/metrics.ts',
    `\`process\` serves \`/metrics\`, \`/healthz\` and \`/readyz\` on \`HTTP_PORT\`; \`serve\` does on \`SERVE_PORT\`, and asks for the scope \`metrics:read\`
there. Beside these, both have the process metrics of prom-client (\`process_*\`, \`nodejs_*\`). It looks at the event loop every 100 ms, and the
quantiles of event-loop lag include these 100 ms.`,
    '## Of `process`',
    await metricsTable(createMetrics() as unknown as Metrics),
    `Nothing gets lost unseen: while nothing is under way, \`sum by (topic, partition) (pm_input_records_total)\` is what
\`pm_records_consumed_total{stage="ingest"}\` says, for each process. Its outcomes are \`stored\`, \`unchanged\` (older than what is stored, or equal),
\`expired\` (on arrival), \`tombstone\` and \`dead_letter\`.`,
    '## Of `serve`',
    await metricsTable(createServeMetrics() as unknown as Metrics),
  )
}
