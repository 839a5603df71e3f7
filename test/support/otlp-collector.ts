import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Collector, startCollector } from '../../local/native/collector.ts'
import { until } from './services.ts'
import { type Span, spansOf } from './spans.ts'

export interface CollectorUnderTest extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly address: string
  spans(): Promise<Span[]>
  /** Waits until `pick` finds what it looks for among the spans. */
  until<T>(what: string, pick: (spans: Span[]) => T | undefined | false): Promise<T>
  /** All that it wrote. */
  text(): Promise<string>
  stop(): Promise<void>
  start(): Promise<void>
}

const PATIENCE_MS = 30_000

/** A real OpenTelemetry Collector for one test. */
export async function collectorUnderTest(): Promise<CollectorUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'pm-parking-collector-'))
  const collector: Collector = await startCollector(directory, () => {})
  const spans = async () => spansOf(await collector.taken())
  return {
    address: collector.address,
    spans,
    until: async (what, pick) =>
      (await until(async () => pick(await spans()), { timeoutMs: PATIENCE_MS, what })) as never,
    text: () => readFile(join(directory, 'collector.json'), 'utf8'),
    stop: collector.stop,
    start: collector.start,
    async [Symbol.asyncDispose]() {
      await collector.discard()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
