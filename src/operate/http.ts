import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { Health, Report } from './health.ts'
import type { Metrics } from './metrics.ts'

export interface OpsServer extends AsyncDisposable {
  /** The port it really listens on, when 0 was asked for. */
  readonly port: number
}

interface Parts {
  host: string
  port: number
  metrics: Metrics
  health: Health
  log: Logger
}

interface Answer {
  status: number
  type: string
  body: string
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(body)}\n`,
})

const report = ({ ok, conditions }: Report, yes: string, no: string): Answer =>
  json(ok ? 200 : 503, { status: ok ? yes : no, conditions })

async function answer(path: string, { metrics, health }: Parts): Promise<Answer> {
  switch (path) {
    case '/metrics':
      metrics.ready.set(health.ready().ok ? 1 : 0)
      return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() }
    case '/healthz':
      return report(health.alive(), 'alive', 'dead')
    case '/readyz':
      return report(health.ready(), 'ready', 'not ready')
    default:
      return json(404, { error: 'not found; there are /metrics, /healthz and /readyz' })
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const { status, type, body } = isRead ? await answer(path, parts) : json(405, { error: 'only GET and HEAD' })
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(isRead ? {} : { allow: 'GET, HEAD' }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken =
        error.code === 'EADDRINUSE' ? 'the port is taken: set HTTP_PORT to another, or to 0 for a free one' : ''
      reject(new Error(`Cannot listen on HTTP_HOST ${host}, HTTP_PORT ${port}: ${taken || error.message}`))
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })

const CLOSE_MS = 1000

/** Lets answers in flight finish for a second; a client that keeps its connection does not hold the process up. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz`.
 * @throws Error naming HTTP_HOST and HTTP_PORT when it cannot listen there.
 */
export async function startOpsServer(parts: Parts): Promise<OpsServer> {
  const server = createServer((request, response) => {
    handle(request, response, parts).catch((error: unknown) => {
      parts.log.error({ err: error, path: request.url?.split('?', 1)[0] }, 'ops request failed')
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    })
  })
  server.requestTimeout = 10_000
  server.headersTimeout = 5_000
  const port = await listen(server, parts.host, parts.port)
  parts.log.info({ host: parts.host, port }, 'serving /metrics, /healthz and /readyz')
  return { port, [Symbol.asyncDispose]: () => close(server) }
}
