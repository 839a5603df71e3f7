import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Report } from '../../../operate/health.ts'
import { sendJson } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { NO_QUERY, NOT_MODIFIED, problemsOf } from './schemas.ts'

const HIDDEN = { config: { scope: null, isCounted: false }, schema: { hide: true } } as const
const SCOPE = { config: { scope: 'metrics:read' } } as const
const TAGS = ['operations']

export function operationRoutes(server: FastifyInstance, parts: ServeParts): void {
  const { health, metrics, report, deadLetters, access } = parts
  // Reasons name hosts and ports of ours: for the log, and for who is on this machine.
  const shown = access.required ? withoutReasons : (whole: Report) => whole
  server.get('/healthz', HIDDEN, async (_, reply) => sendReport(reply, shown(health.alive()), 'alive', 'dead'))
  server.get('/readyz', HIDDEN, async (_, reply) => sendReport(reply, shown(health.ready()), 'ready', 'not ready'))

  server.get('/metrics', { ...SCOPE, schema: METRICS }, async (_, reply) => {
    metrics.ready.set(health.ready().ok ? 1 : 0)
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.registry.contentType)
      .send(await metrics.registry.metrics())
  })
  server.get('/v1/cache', { ...SCOPE, schema: CACHE }, async (request, reply) =>
    sendJson(request, reply, JSON.stringify(await report())),
  )
  server.get('/v1/dead-letters', { ...SCOPE, schema: DEAD_LETTERS }, async (request, reply) =>
    sendJson(request, reply, JSON.stringify(deadLetters())),
  )
}

const METRICS = {
  ...{ tags: TAGS, summary: 'Metrics for Prometheus', querystring: NO_QUERY },
  response: { 200: { description: 'OK', content: { 'text/plain': { schema: { type: 'string' } } } }, ...problemsOf() },
}
const CACHE = {
  ...{ tags: TAGS, summary: 'How the cache does, since the process started', querystring: NO_QUERY },
  response: { 200: { $ref: 'CacheReport#' }, ...NOT_MODIFIED, ...problemsOf() },
}
const DEAD_LETTERS = {
  ...{ tags: TAGS, summary: 'Dead letters by reason', querystring: NO_QUERY },
  response: { 200: { $ref: 'DeadLetterReport#' }, ...NOT_MODIFIED, ...problemsOf() },
}

const withoutReasons = ({ ok, conditions }: Report): Report => ({
  ok,
  conditions: Object.fromEntries(
    Object.entries(conditions).map(([name, { ok: isMet, since }]) => [name, { ok: isMet, since }]),
  ),
})

function sendReport(reply: FastifyReply, { ok, conditions }: Report, yes: string, no: string): FastifyReply {
  const body = JSON.stringify({ status: ok ? yes : no, conditions })
  return reply
    .code(ok ? 200 : 503)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(body)
}
