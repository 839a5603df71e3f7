/**
 * Traces by OpenTelemetry's SDK, loaded only where they are wanted. Nothing of it is global, and everything that it would
 * read from the environment is given, but for OTEL_EXPORTER_OTLP_TRACES_HEADERS, which it sends beside ours.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Attributes as ApiAttributes,
  type Context,
  createNoopMeter,
  SpanKind as Kind,
  type Link,
  type MeterProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import { flagsOf, spanIdOf, type Traceparent, traceIdOf, traceparent } from '../contract/trace-context.ts'
import type { TraceSpans } from './registry.ts'
import { createSeldom } from './seldom.ts'
import type { TracingOptions } from './start-tracing.ts'
import { type Attributes, type OpenSpan, type SpanKind, type SpanStart, type Tracing, typeOf } from './tracing.ts'
import { within } from './within.ts'

/** Spans that wait for the collector: 4 MiB of them, 20 where all have links. What comes beyond is dropped, and counted. */
const MOST_WAITING = 2_048
const MOST_A_SEND = 512
const SEND_EVERY_MS = 2_000
/** A send with its retries, after which its spans are given up. */
const SEND_MS = 10_000
/** At the end, for what waits; a collector that is away keeps nobody. */
const LAST_SEND_MS = 1_500
/** Links of one span; more are counted. */
export const MOST_LINKS = 128

export function createTracing(options: TracingOptions & { version: string }, spans: TraceSpans, log: Logger): Tracing {
  const exporter = tell(exporterOf(options), spans, log)
  const processor = new BatchSpanProcessor({
    ...{ exporter, maxQueueSize: MOST_WAITING, maxExportBatchSize: MOST_A_SEND },
    ...{ scheduledDelayMillis: SEND_EVERY_MS, exportTimeoutMillis: SEND_MS + 1_000 },
    selfObsMeterProvider: countDropped((count) => spans.inc({ result: 'dropped' }, count)),
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.serviceName, 'service.version': options.version }),
    sampler: new ParentBasedSampler({ root: linkedOr(new TraceIdRatioBasedSampler(options.share)) }),
    spanLimits: { linkCountLimit: MOST_LINKS, attributeValueLengthLimit: 256 },
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('pm-parking-events', options.version)
  const underWay = new AsyncLocalStorage<Span>()

  const start = ({ name, kind, attributes }: SpanStart, parent: Context, links: Link[] = []) =>
    tracer.startSpan(name, { kind: KINDS[kind], attributes: attributes as ApiAttributes, links }, parent)
  const run = async <T>(span: Span, work: (span: OpenSpan) => Promise<T>): Promise<T> => {
    const open = openSpan(span)
    try {
      return await underWay.run(span, work, open)
    } catch (error) {
      open.fail(typeOf(error))
      throw error
    } finally {
      span.end()
    }
  }
  const parentHere = (): Context | null => {
    const span = underWay.getStore()
    return span?.isRecording() ? trace.setSpan(ROOT_CONTEXT, span) : null
  }

  return {
    begin(span, contexts, work) {
      const links = contexts.slice(0, MOST_LINKS).map((context) => ({ context: remote(context) }))
      const left = contexts.length - links.length
      const attributes = left > 0 ? { ...span.attributes, 'pm.links.left_out': left } : span.attributes
      return run(start({ ...span, attributes }, ROOT_CONTEXT, links), work)
    },
    part(span, work) {
      const parent = parentHere()
      return parent === null ? work(null) : run(start(span, parent), work)
    },
    open(span) {
      const parent = parentHere()
      return parent && openSpan(start(span, parent))
    },
    serve(span, parent, work) {
      const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(parent))
      const started = start(span, context)
      underWay.run(started, work, openSpan(started))
    },
    async [Symbol.asyncDispose]() {
      await within(LAST_SEND_MS, provider.shutdown()).catch(() => {}) // it has been told
    },
  }
}

const KINDS: Record<SpanKind, Kind> = {
  consumer: Kind.CONSUMER,
  producer: Kind.PRODUCER,
  client: Kind.CLIENT,
  server: Kind.SERVER,
}

const remote = (context: Traceparent): SpanContext => ({
  traceId: traceIdOf(context),
  spanId: spanIdOf(context),
  traceFlags: flagsOf(context),
  isRemote: true,
})

function openSpan(span: Span): OpenSpan {
  return {
    get traceparent() {
      const { traceId, spanId, traceFlags } = span.spanContext()
      return span.isRecording() ? traceparent(traceId, spanId, traceFlags) : null
    },
    name: (name) => void span.updateName(name),
    set: (attributes: Attributes) => void span.setAttributes(attributes as ApiAttributes),
    fail: (type) => void span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR }),
    end: () => span.end(),
  }
}

/** Who began a trace that led to this one has decided; else `root` does. */
function linkedOr(root: Sampler): Sampler {
  return {
    shouldSample: (context, traceId, name, kind, attributes, links) =>
      links.some((link) => (link.context.traceFlags & TraceFlags.SAMPLED) !== 0)
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : root.shouldSample(context, traceId, name, kind, attributes, links),
    toString: () => `LinkedOr{${root}}`,
  }
}

type Config = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>

function exporterOf({ endpoint, headers }: TracingOptions): SpanExporter {
  return new OTLPTraceExporter({
    url: new URL('v1/traces', endpoint.endsWith('/') ? endpoint : `${endpoint}/`).href,
    headers,
    timeoutMillis: SEND_MS,
    compression: 'none' as Config['compression'] & string,
    httpAgentOptions: { keepAlive: true },
    concurrencyLimit: 4,
  })
}

/** Counts what became of spans, and says now and then that the collector is away. */
function tell(exporter: SpanExporter, spans: TraceSpans, log: Logger): SpanExporter {
  const away = createSeldom()
  return {
    export(batch, done) {
      exporter.export(batch, (result) => {
        const isSent = result.code === 0
        spans.inc({ result: isSent ? 'exported' : 'failed' }, batch.length)
        if (isSent && away.end()) log.info('traces are taken again')
        if (!isSent && away.isDue())
          log.warn({ reason: result.error?.message }, 'traces are not taken, and are dropped')
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}

/** The processor tells nobody but a meter that its queue was full. */
function countDropped(onDropped: (count: number) => void): MeterProvider {
  const meter = createNoopMeter()
  const counter = {
    add: (count: number, attributes?: ApiAttributes) => {
      if (attributes?.['error.type'] === 'queue_full') onDropped(count)
    },
  }
  const counting = Object.create(meter, {
    createCounter: { value: (name: string) => (name === PROCESSED ? counter : meter.createCounter(name)) },
  })
  return { getMeter: () => counting }
}

const PROCESSED = 'otel.sdk.processor.span.processed'
