/** The HTTP server of the read side: what is true for all routes, and the routes. */
import type { AddressInfo } from 'node:net'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { type FastifyError, type FastifyInstance, fastify } from 'fastify'
import type { Logger } from 'pino'
import type { CacheReport, DeadLetterReport } from '../../contract/api.ts'
import type { Health } from '../../operate/health.ts'
import { version } from '../../operate/version.ts'
import type { Access } from '../access/access.ts'
import type { Live } from '../live/live.ts'
import { type LookUp, StoreFailure } from '../look-up.ts'
import type { ServeMetrics } from '../metrics.ts'
import { clientOf, identifyCallers, refuseForeignHosts, requireScope } from './access-hooks.ts'
import { CACHE_STATUS_OF_ERROR } from './cache-status.ts'
import type { CardReading } from './card-numbers.ts'
import { servePage } from './page.ts'
import { RequestProblem, sendProblem } from './problems.ts'
import { eventRoutes } from './routes/events.ts'
import { operationRoutes } from './routes/operations.ts'
import { SCHEMAS } from './routes/schemas.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { statusUpdateRoutes } from './routes/status-updates.ts'
import { zoneRoutes } from './routes/zones.ts'

export interface ServeParts {
  host: string
  port: number
  /** Of one client; 0: any number. */
  requestsPerSecond: number
  access: Access
  lookUp: LookUp
  live: Live
  cards: CardReading
  metrics: ServeMetrics
  health: Health
  log: Logger
  report: () => Promise<CacheReport>
  deadLetters: () => DeadLetterReport
  /** Directory of the built page; null: there is none. */
  page: string | null
}

export interface ServeServer extends AsyncDisposable {
  /** The port it really listens on, when 0 was asked for. */
  readonly port: number
}

/** Requests are small: a card and a cursor. */
const BODY_BYTES = 16 * 1024
/** A path of an id of a kibibyte, encoded. */
const PATH_CHARACTERS = 4_096

/** @throws Error naming SERVE_HOST and SERVE_PORT when it cannot listen there. */
export async function startServer(parts: ServeParts): Promise<ServeServer> {
  const server = fastify({
    ...{ logger: false, bodyLimit: BODY_BYTES, routerOptions: { maxParamLength: PATH_CHARACTERS } },
    ...{ requestTimeout: 10_000, keepAliveTimeout: 65_000, forceCloseConnections: 'idle', return503OnClosing: false },
    ajv: { customOptions: { removeAdditional: false, allowUnionTypes: true } },
    http: { headersTimeout: 10_000 },
  })
  tellErrors(server, parts.log)
  measure(server, parts.metrics)
  if (!parts.access.required) refuseForeignHosts(server)
  identifyCallers(server, parts.access)
  await server.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: CSP }, hsts: false })
  if (parts.requestsPerSecond > 0) await server.register(rateLimit, limitOf(parts.requestsPerSecond))
  requireScope(server)
  await describe(server)
  for (const [$id, schema] of Object.entries(SCHEMAS)) server.addSchema({ $id, ...schema })
  for (const routes of [eventRoutes, sessionRoutes, zoneRoutes, statusUpdateRoutes, operationRoutes])
    routes(server, parts)
  await servePage(server, parts.page)
  await listen(server, parts)
  const { port } = server.server.address() as AddressInfo
  parts.log.info({ host: parts.host, port }, 'serving the HTTP API')
  return { port, [Symbol.asyncDispose]: () => server.close() }
}

async function listen(server: FastifyInstance, { host, port }: ServeParts): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    await server.close()
    const { code, message } = error as NodeJS.ErrnoException
    const taken = 'the port is taken: set SERVE_PORT to another, or to 0 for a free one'
    throw new Error(
      `Cannot listen on SERVE_HOST ${host}, SERVE_PORT ${port}: ${code === 'EADDRINUSE' ? taken : message}`,
    )
  }
}

/** Nothing from elsewhere, nothing within the page's text, and the page in no other one's frame. */
const CSP = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}

const limitOf = (requestsPerSecond: number) => ({
  max: requestsPerSecond,
  timeWindow: 1_000,
  cache: 10_000,
  hook: 'onRequest' as const,
  keyGenerator: clientOf,
  errorResponseBuilder: () =>
    new RequestProblem(
      'too-many-requests',
      `This client may make ${requestsPerSecond} requests a second`,
      'Wait a second',
    ),
})

function tellErrors(server: FastifyInstance, log: Logger): void {
  server.setNotFoundHandler((_, reply) =>
    sendProblem(reply, new RequestProblem('not-found', 'There is no such resource', 'See /docs')),
  )
  server.setErrorHandler((error: FastifyError | RequestProblem | Error, request, reply) => {
    if (error instanceof RequestProblem) return sendProblem(reply, error)
    const problem = ofRequest(error as FastifyError)
    if (problem) return sendProblem(reply, problem)
    if (error instanceof StoreFailure) {
      reply.header('cache-status', CACHE_STATUS_OF_ERROR)
      return sendProblem(reply, new RequestProblem('unavailable', error.message, 'Try again', { 'retry-after': '1' }))
    }
    log.error({ err: error, route: request.routeOptions.url }, 'a request failed')
    return sendProblem(reply, new RequestProblem('internal', undefined, 'Tell the operator; the log has more'))
  })
}

/** What Fastify found wrong with a request. */
function ofRequest({ statusCode, validation, message }: FastifyError): RequestProblem | null {
  if (validation) return new RequestProblem('bad-request', message, 'See /docs')
  if (statusCode === 413) return new RequestProblem('too-large', message)
  if (statusCode === 415) return new RequestProblem('unsupported-media-type', message)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new RequestProblem('bad-request', message)
  return null
}

function measure(server: FastifyInstance, { requestDuration }: ServeMetrics): void {
  server.addHook('onResponse', async ({ routeOptions }, reply) => {
    requestDuration.observe({ route: routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1_000)
  })
}

async function describe(server: FastifyInstance): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'pm-parking-events',
        version: version(),
        description: 'What is parked where: cache documents, sessions, zones, and status updates as they happen.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a JWT' },
          key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        },
      },
      security: [{ bearer: [] }, { key: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  })
  await server.register(swaggerUi, { routePrefix: '/docs', staticCSP: false, logo: NO_LOGO })
  server.get('/openapi.json', { config: { scope: null }, schema: { hide: true } }, async () => server.swagger())
}

/** One transparent point. */
const NO_LOGO = {
  type: 'image/gif',
  content: Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'),
}
