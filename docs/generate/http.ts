import { createHealth } from '../../src/operate/health.ts'
import { buildServer, type ServeParts } from '../../src/serve/http/server.ts'
import { createServeMetrics } from '../../src/serve/metrics.ts'
import { code, page, table } from './markdown.ts'

interface Parameter {
  name: string
  in: string
  required?: boolean
}

interface Operation {
  summary: string
  description?: string
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: { properties: Record<string, unknown>; required?: string[] } }> }
  responses: Record<string, unknown>
}

/** What the server says of itself at `/openapi.json`: the routes only, over stores that nobody asks. */
async function openApi(): Promise<{ paths: Record<string, Record<string, Operation>> }> {
  const parts = {
    ...{ host: '127.0.0.1', port: 0, requestsPerSecond: 0, trustedProxies: [], page: null },
    ...{ access: { required: true }, metrics: createServeMetrics(), health: createHealth() },
    live: { hub: { close() {} } },
  }
  const server = await buildServer(parts as unknown as ServeParts)
  await server.ready()
  const described = server.swagger() as unknown as Awaited<ReturnType<typeof openApi>>
  await server.close()
  return described
}

function routeRow(method: string, path: string, of: Operation): string[] {
  const scope = of.security?.[0]?.bearer?.[0] ?? ''
  const body = of.requestBody?.content['application/json']?.schema
  const inBody = Object.keys(body?.properties ?? {}).map((name) => named(name, body?.required?.includes(name)))
  const others = (of.parameters ?? []).filter(({ in: where }) => where !== 'path')
  const inOthers = others.map(({ name, required }) => named(name, required))
  const statuses = Object.keys(of.responses).filter(
    (status) => !['400', '401', '403', '429', '500', '503'].includes(status),
  )
  return [
    code(`${method.toUpperCase()} ${path}`),
    of.summary,
    [...inOthers, ...inBody].join(', '),
    code(scope),
    statuses.join(', '),
  ]
}

const named = (name: string, required = false): string => `${code(name)}${required ? ' *' : ''}`

export async function httpPage(): Promise<string> {
  const { paths } = await openApi()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const notes = operations.filter(({ operation }) => operation.description !== undefined)
  return page(
    'HTTP API of `serve`',
    'the OpenAPI description of the routes',
    `\`GET /openapi.json\` describes it for machines, with all bodies; \`GET /docs\` shows that. \`GET /\` is the page. Credentials go into
\`Authorization: Bearer …\` or \`X-Api-Key\`; which scope reads what is told in [who may read](../how-to/serve-applications.md#who-may-read).`,
    table(
      ['ask', 'and get', 'parameters (* needed)', 'scope', 'answers'],
      operations.map(({ method, path, operation }) => routeRow(method, path, operation)),
    ),
    `Who asks by \`card\` needs the scope \`cards:read\` too. Beside these answers each route may say 400, 401, 403, 429, 500 or 503. Without credentials: \`/healthz\` and \`/readyz\`, 200 or 503.`,
    ...notes.map(
      ({ method, path, operation }) => `${code(`${method.toUpperCase()} ${path}`)}: ${operation.description}`,
    ),
    `Errors are \`application/problem+json\` (RFC 9457). Answers have an \`ETag\`, so that a client that has one already gets 304, an \`Age\`, and
\`Cache-Status\` (RFC 9211): \`hit\`, with the seconds it is still good; \`fwd=miss; stored; detail=mongodb\` (or \`primary\`);
\`hit; ttl=-12; detail=stale\`; \`detail=negative\` for what is known not to be there; \`detail=error\`.`,
  )
}
