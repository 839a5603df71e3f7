/** The HTTP server of the read side: what is true for all routes, and the routes. */
import type { AddressInfo } from 'node:net'
import { type FastifyInstance, fastify } from 'fastify'
import type { Logger } from 'pino'
import type { CacheReport, DeadLetterReport } from '../../contract/api.ts'
import type { Health } from '../../operate/health.ts'
import type { Tracing } from '../../operate/tracing.ts'
import type { Access } from '../access/access.ts'
import type { Live } from '../live/live.ts'
import type { LookUp } from '../look-up.ts'
import type { ServeMetrics } from '../metrics.ts'
import { admitCallers } from './access-hooks.ts'
import type { CardReading } from './card-numbers.ts'
import { describe } from './describe.ts'
import { answerBadPath, answerBrokenRequest, passExpectationsOver, tellErrors } from './errors.ts'
import { refuseForeignHosts, requireHosts } from './hosts.ts'
import { refuseOtherMethods } from './other-methods.ts'
import { servePage } from './page.ts'
import { eventRoutes } from './routes/events.ts'
import { operationRoutes } from './routes/operations.ts'
import { SCHEMAS } from './routes/schemas.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { statusUpdateRoutes } from './routes/status-updates.ts'
import { zoneRoutes } from './routes/zones.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { traceRequests } from './trace-requests.ts'

export interface ServeParts {
  host: string
  port: number
  /** Of one client; 0: any number. */
  requestsPerSecond: number
  /** Addresses and networks of those who say for whom they ask. */
  trustedProxies: readonly string[]
  access: Access
  lookUp: LookUp
  live: Live
  cards: CardReading
  metrics: ServeMetrics
  health: Health
  /** Null, or left out: traces are not wanted. */
  tracing?: Tracing | null
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
/** Of a request: its headers, and all of it. How late it is is looked at so often. */
const TIMEOUT_MS = 10_000
const LOOK_EVERY_MS = 2_000
/** More than may listen to status updates, and fewer than files may be open. */
const MOST_CONNECTIONS = 24_000

/** @throws Error naming SERVE_HOST and SERVE_PORT when it cannot listen there. */
export async function startServer(parts: ServeParts): Promise<ServeServer> {
  const server = await buildServer(parts)
  await listen(server, parts)
  const { port } = server.server.address() as AddressInfo
  parts.log.info({ host: parts.host, port }, 'serving the HTTP API')
  return { port, [Symbol.asyncDispose]: () => server.close() }
}

/** All of it but the port. */
export async function buildServer(parts: ServeParts): Promise<FastifyInstance> {
  const server = newServer(parts.trustedProxies)
  tellErrors(server, parts.log)
  passExpectationsOver(server)
  measure(server, parts.metrics)
  if (parts.tracing) traceRequests(server, parts.tracing, parts.cards.cleanText)
  server.addHook('onRequest', (_, reply, done) => {
    reply.headers(SECURITY_HEADERS)
    done()
  })
  requireHosts(server)
  if (!parts.access.required) refuseForeignHosts(server)
  await admitCallers(server, parts.access, parts.requestsPerSecond)
  await addRoutes(server, parts)
  return server
}

function newServer(trustedProxies: readonly string[]): FastifyInstance {
  const server = fastify({
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    ...{ logger: false, bodyLimit: BODY_BYTES, routerOptions: { maxParamLength: PATH_CHARACTERS } },
    ...{ requestTimeout: TIMEOUT_MS, keepAliveTimeout: 65_000 },
    ...{ forceCloseConnections: 'idle', return503OnClosing: false },
    // Answers are written as text: what schemas say of them is for `/openapi.json`, and compiling it is half of the server's start.
    schemaController: { compilersFactory: { buildSerializer: () => () => JSON.stringify } },
    ajv: { customOptions: { removeAdditional: false, allowUnionTypes: true } },
    // Without a Host it is a request all the same, and is told what it lacks.
    http: { headersTimeout: TIMEOUT_MS, connectionsCheckingInterval: LOOK_EVERY_MS, requireHostHeader: false },
    ...{ frameworkErrors: answerBadPath, clientErrorHandler: answerBrokenRequest },
  })
  server.server.maxConnections = MOST_CONNECTIONS
  // Bodies are JSON: a form of a page elsewhere can send plain text, and JSON only when it is asked about first.
  server.removeContentTypeParser('text/plain')
  return server
}

async function addRoutes(server: FastifyInstance, parts: ServeParts): Promise<void> {
  const refuseOthers = refuseOtherMethods(server)
  await describe(server)
  for (const [$id, schema] of Object.entries(SCHEMAS)) server.addSchema({ $id, ...schema })
  for (const routes of [eventRoutes, sessionRoutes, zoneRoutes, statusUpdateRoutes, operationRoutes])
    routes(server, parts)
  refuseOthers()
  await servePage(server, parts.page)
}

/** Connections that wait to be accepted: after a restart thousands of listeners come back at once. */
const BACKLOG = 4_096

async function listen(server: FastifyInstance, { host, port }: ServeParts): Promise<void> {
  try {
    await server.listen({ host, port, backlog: BACKLOG })
  } catch (error) {
    await server.close()
    const { code, message } = error as NodeJS.ErrnoException
    const taken = 'the port is taken: set SERVE_PORT to another, or to 0 for a free one'
    throw new Error(
      `Cannot listen on SERVE_HOST ${host}, SERVE_PORT ${port}: ${code === 'EADDRINUSE' ? taken : message}`,
    )
  }
}

function measure(server: FastifyInstance, { requestDuration }: ServeMetrics): void {
  server.addHook('onResponse', ({ routeOptions }, reply, done) => {
    requestDuration.observe({ route: routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1_000)
    done()
  })
}
