import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Report } from '../../../operate/health.ts'
import { sendJson } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { problemsOf } from './schemas.ts'

const HIDDEN = { config: { scope: null, rateLimit: false }, schema: { hide: true } } as const
const TAGS = ['operations']

export function operationRoutes(server: FastifyInstance, { health, metrics, report, deadLetters }: ServeParts): void {
  server.get('/healthz', HIDDEN, async (_, reply) => sendReport(reply, health.alive(), 'alive', 'dead'))
  server.get('/readyz', HIDDEN, async (_, reply) => sendReport(reply, health.ready(), 'ready', 'not ready'))
  server.get(
    '/metrics',
    { config: { scope: 'metrics:read' }, schema: { tags: TAGS, summary: 'Metrics for Prometheus' } },
    async (_, reply) =>
      reply
        .header('cache-control', 'no-store')
        .type(metrics.registry.contentType)
        .send(await metrics.registry.metrics()),
  )
  server.get(
    '/v1/cache',
    {
      config: { scope: 'metrics:read' },
      schema: {
        ...{ tags: TAGS, summary: 'How the cache does, since the process started' },
        response: { 200: { $ref: 'CacheReport#' }, ...problemsOf() },
      },
    },
    async (request, reply) => sendJson(request, reply, JSON.stringify(await report())),
  )
  server.get(
    '/v1/dead-letters',
    {
      config: { scope: 'metrics:read' },
      schema: {
        ...{ tags: TAGS, summary: 'Dead letters by reason' },
        response: { 200: { $ref: 'DeadLetterReport#' }, ...problemsOf() },
      },
    },
    async (request, reply) => sendJson(request, reply, JSON.stringify(deadLetters())),
  )
}

function sendReport(reply: FastifyReply, { ok, conditions }: Report, yes: string, no: string): FastifyReply {
  const body = JSON.stringify({ status: ok ? yes : no, conditions })
  return reply
    .code(ok ? 200 : 503)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(body)
}
