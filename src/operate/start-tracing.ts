import type { Logger } from 'pino'
import type { TraceSpans } from './registry.ts'
import type { Tracing } from './tracing.ts'
import { version } from './version.ts'

export interface TracingOptions {
  /** Base address of OTLP over HTTP. */
  endpoint: string
  headers: Record<string, string>
  serviceName: string
  /** Of the chunks and requests about which nobody before has decided. */
  share: number
}

/** Null where traces are not wanted: nothing of OpenTelemetry is even loaded then. */
export async function startTracing(
  options: TracingOptions | null,
  spans: TraceSpans,
  log: Logger,
): Promise<Tracing | null> {
  if (options === null) return null
  const { createTracing } = await import('./open-telemetry.ts')
  return createTracing({ ...options, version: version() }, spans, log)
}
