import type { FastifyInstance, FastifyRequest } from 'fastify'
import { contextOf, TRACEPARENT } from '../../contract/trace-context.ts'
import type { OpenSpan, Tracing } from '../../operate/tracing.ts'

/**
 * Each request for data becomes a span, by OpenTelemetry's conventions for HTTP but for the path, which holds ids and cards:
 * the route stands for it. Streams are none, since they last for hours, nor is what an operator's tools ask all the time.
 */
export function traceRequests(server: FastifyInstance, tracing: Tracing, cleanText: (text: string) => string): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>()
  server.addHook('onRequest', (request, _, done) => {
    const { method, headers, routeOptions } = request
    const route = routeOptions.url
    if (route === undefined || !route.startsWith('/v1/') || STREAMS.has(route)) return done()
    const attributes = { 'http.request.method': method, 'http.route': route, 'url.scheme': request.protocol }
    const parent = contextOf(headers[TRACEPARENT], cleanText)
    tracing.serve({ name: `${method} ${route}`, kind: 'server', attributes }, parent, (span) => {
      spans.set(request, span)
      done()
    })
  })
  server.addHook('onResponse', (request, { statusCode }, done) => {
    const span = spans.get(request)
    span?.set({ 'http.response.status_code': statusCode })
    if (statusCode >= 500) span?.fail(String(statusCode))
    span?.end()
    done()
  })
  server.addHook('onRequestAbort', (request, done) => {
    const span = spans.get(request)
    span?.fail('aborted')
    span?.end()
    done()
  })
}

const STREAMS: ReadonlySet<string> = new Set(['/v1/status-updates'])
