import { totalmem } from 'node:os'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { version } from './version.ts'

/**
 * How often prom-client looks at the event loop. The quantiles that it shows (`nodejs_eventloop_lag_p99_seconds`) include this
 * time. Ten times as often is a third of what an idle process uses.
 */
const EVENT_LOOP_EVERY_MS = 100

/** A registry with the process metrics of prom-client. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ eventLoopMonitoringPrecision: EVENT_LOOP_EVERY_MS, register: registry })
  return registry
}

/** What each of our processes shows. */
export function createCommon(registers: Registry[]) {
  const buildInfo = new Gauge({
    name: 'pm_build_info',
    help: 'Always 1; the version is in the label.',
    labelNames: ['version'] as const,
    registers,
  })
  buildInfo.set({ version: version() }, 1)
  const memoryLimit = new Gauge({
    name: 'pm_memory_limit_bytes',
    help: 'Memory that this process may take: the limit of its container, or else all of the machine.',
    registers,
  })
  memoryLimit.set(Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem()))
  const traceSpans = new Counter({
    name: 'pm_trace_spans_total',
    help: 'Spans of traces by what became of them; `dropped`: too many waited for the collector.',
    labelNames: ['result'] as const,
    registers,
  })
  for (const result of ['exported', 'failed', 'dropped']) traceSpans.inc({ result }, 0)
  return {
    dependencyUp: new Gauge({
      name: 'pm_dependency_up',
      help: '1 while a dependency answers, 0 while it is waited for.',
      labelNames: ['dependency'] as const,
      registers,
    }),
    ready: new Gauge({ name: 'pm_ready', help: '1 while /readyz says so, else 0.', registers }),
    memoryLimit,
    traceSpans,
    buildInfo,
  }
}

export type TraceSpans = ReturnType<typeof createCommon>['traceSpans']
