/** Spans as a collector wrote them down: OTLP in JSON, from which nothing is left out that a test looks for. */
export interface Span {
  name: string
  /** `SPAN_KIND_…`, as a number of OTLP. */
  kind: number
  traceId: string
  spanId: string
  parentSpanId: string
  links: string[]
  attributes: Record<string, string | number | boolean>
  /** 2: an error. */
  status: number
  /** Of the resource. */
  service: string
}

interface Message {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: RawSpan[] }[]
  }[]
}

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: string; boolValue?: boolean; doubleValue?: number }
}

interface RawSpan {
  name: string
  kind?: number
  traceId: string
  spanId: string
  parentSpanId?: string
  links?: { traceId: string; spanId: string }[]
  attributes?: Attribute[]
  status?: { code?: number }
}

export const KINDS = { server: 2, client: 3, producer: 4, consumer: 5 }

export function spansOf(messages: readonly unknown[]): Span[] {
  return (messages as Message[]).flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const service = String(valuesOf(resource.attributes)['service.name'])
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(span, service)))
    }),
  )
}

function spanOf({ name, kind = 0, traceId, spanId, parentSpanId = '', ...rest }: RawSpan, service: string): Span {
  const { links = [], attributes = [], status } = rest
  return {
    ...{ name, kind, traceId, spanId, parentSpanId, service },
    links: links.map((link) => `${link.traceId}-${link.spanId}`),
    attributes: valuesOf(attributes),
    status: status?.code ?? 0,
  }
}

function valuesOf(attributes: readonly Attribute[]): Span['attributes'] {
  const entries = attributes.map(({ key, value }) => {
    const { stringValue, intValue, boolValue, doubleValue } = value
    return [key, intValue === undefined ? (stringValue ?? boolValue ?? doubleValue ?? '') : Number(intValue)]
  })
  return Object.fromEntries(entries)
}
