import { afterEach, describe, expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import { createCards } from '../../../../src/normalize/card-data.ts'
import { createHealth } from '../../../../src/operate/health.ts'
import { type Access, type Caller, type Refused, SCOPES } from '../../../../src/serve/access/access.ts'
import { buildServer, type ServeParts } from '../../../../src/serve/http/server.ts'
import type { LookUp } from '../../../../src/serve/look-up.ts'
import { createServeMetrics } from '../../../../src/serve/metrics.ts'
import { newLog } from '../access/issuer.ts'

const ALL: Caller = { id: 'all', scopes: new Set(SCOPES), zones: null, expiresAt: null }

let server: FastifyInstance
afterEach(() => server.close())

/** The server over stores that know nothing, with the log that it writes. */
async function serverWith(outcome: Caller | Refused, more: Partial<ServeParts> = {}) {
  let asked = 0
  const access: Access = {
    required: true,
    async authenticate() {
      asked++
      return outcome
    },
  }
  const answer = { json: '', parts: [], next: null, etag: '""' }
  const look = async () => ({ answer, outcome: 'miss', layer: 'mongodb', age: 0, ttl: 5, stored: true }) as const
  const { log, lines } = newLog()
  const parts = {
    ...{ host: '127.0.0.1', port: 0, requestsPerSecond: 5, trustedProxies: [], access, log, page: null },
    ...{ metrics: createServeMetrics(), health: createHealth() },
    lookUp: { event: look, session: look, card: look, price: look } satisfies LookUp,
    live: { hub: { size: 0, close() {}, beat() {} }, assertReady() {} },
    cards: { ...createCards({ tokenKey: null, exemptPaths: [] }), tokenKeys: [], hasExemptPaths: false },
    ...more,
  }
  server = await buildServer(parts as unknown as ServeParts)
  await server.ready()
  return { asked: () => asked, lines }
}

const get = (url: string, headers: Record<string, string> = {}, remoteAddress = '192.0.2.1') =>
  server.inject({ url, headers, remoteAddress })
const times = async (count: number, work: () => Promise<{ statusCode: number }>) => {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) statuses.push((await work()).statusCode)
  return statuses
}

describe('who asks', () => {
  const REFUSED: Refused = { refused: 'invalid', detail: 'It is wrong.' }
  const jwt = { authorization: 'Bearer eyJ.a.b' }
  const key = { authorization: 'Bearer pmk_x' }

  test('is not heard with one more JWT after too many bad ones, from wherever in its network', async () => {
    const { asked } = await serverWith(REFUSED)
    expect(await times(8, () => get('/v1/cache', jwt, '2001:db8::1'))).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    expect(asked()).toBe(5)
    expect((await get('/v1/cache', jwt, '2001:db8::2')).statusCode).toBe(429)
    expect(asked()).toBe(5)
    expect((await get('/v1/cache', jwt, '2001:db8:1::2')).statusCode).toBe(401)
  })

  test('is told to wait for bad keys too, while each is looked up', async () => {
    const { asked } = await serverWith(REFUSED)
    expect(await times(7, () => get('/v1/cache', key))).toEqual([401, 401, 401, 401, 401, 429, 429])
    expect(asked()).toBe(7)
  })

  test('is known by the address that a trusted proxy tells, and nobody else', async () => {
    await serverWith(REFUSED, { trustedProxies: ['10.0.0.0/8'] })
    const bad = (client: string, from: string) => get('/v1/cache', { ...key, 'x-forwarded-for': client }, from)
    expect(await times(6, () => bad('192.0.2.7', '10.1.2.3'))).toEqual([401, 401, 401, 401, 401, 429])
    // What a client writes itself stands before what the proxy adds.
    expect((await bad('192.0.2.9, 192.0.2.7', '10.1.2.3')).statusCode).toBe(429)
    expect((await bad('192.0.2.8', '10.1.2.3')).statusCode).toBe(401)
    let claimed = 0
    const statuses = await times(6, () => bad(`192.0.2.${claimed++}`, '198.51.100.1'))
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  })

  test('is not asked for what needs no credentials', async () => {
    const { asked } = await serverWith(REFUSED)
    for (const url of ['/openapi.json', '/docs', '/healthz', '/nowhere']) await get(url, jwt)
    expect(asked()).toBe(0)
  })

  test('is counted by name, from all addresses', async () => {
    await serverWith(ALL, { report: async () => ({}) as never })
    let address = 0
    const statuses = await times(7, () => get('/v1/cache', key, `192.0.2.${address++}`))
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
    const { headers } = await get('/v1/cache', key)
    expect(headers).toMatchObject({ 'retry-after': '1', 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0' })
  })

  test('waits where nobody can say whether credentials are good', async () => {
    await serverWith({ refused: 'unavailable', detail: 'Not now.' })
    const { statusCode, headers } = await get('/v1/cache', jwt)
    expect([statusCode, headers['retry-after'], headers['www-authenticate']]).toEqual([503, '5', undefined])
  })
})

test('why it is not ready is told to who is on this machine, and else to the log only', async () => {
  const health = createHealth()
  health.set('kafka', false, 'connect ECONNREFUSED 10.0.0.5:9092')
  await serverWith(ALL, { health })
  const { statusCode, body } = await get('/readyz')
  expect([statusCode, JSON.parse(body).conditions.kafka.ok]).toEqual([503, false])
  expect(body).not.toContain('10.0.0.5')
  await server.close()
  await serverWith(ALL, { health, access: { required: false, authenticate: async () => ALL } })
  expect((await get('/readyz', { host: 'localhost' })).body).toContain('10.0.0.5')
})

describe('an error that nobody foresaw', () => {
  test('is told to the log, and not to who asked', async () => {
    const { lines } = await serverWith(ALL, {
      report: () => Promise.reject(new Error('connect to mongodb://user:secret@db:27017 failed')),
    })
    const { statusCode, body } = await get('/v1/cache')
    expect(statusCode).toBe(500)
    expect(JSON.parse(body)).toEqual({
      ...{ type: '/problems/internal', title: 'The server made a mistake', status: 500 },
      remedy: 'Tell the operator; the log has more',
    })
    expect(JSON.stringify(lines)).toContain('a request failed')
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})

test('the routes are those that are told, and these', async () => {
  await serverWith(ALL)
  const told = Object.entries(JSON.parse((await get('/openapi.json')).body).paths as Record<string, object>).flatMap(
    ([template, operations]) => {
      const route = template.replaceAll(/\{(\w+)\}/g, ':$1')
      return Object.keys(operations).map((method) => `${method.toUpperCase()} ${route}`)
    },
  )
  const untold = ['/', '/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/*', '/docs/static/index.html']
  const operators = ['/docs/static/swagger-initializer.js', '/healthz', '/openapi.json', '/readyz']
  expect(routesIn(server.printRoutes({ commonPrefix: false })).sort()).toEqual(
    [...told, ...[...untold, ...operators].map((route) => `GET ${route}`)].sort(),
  )
})

/** Those that do something: HEAD goes with GET, and what a resource does not have is refused by a route of its own. */
function routesIn(tree: string): string[] {
  const above: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part, methods = ''] = /^([│ ├└─]*)(\S+) \(([A-Z, ]+)\)$/.exec(line) ?? []
    const level = indent.length / 4
    above.length = level
    above[level] = part ?? /[^│ ├└─]\S*/.exec(line)?.[0] ?? ''
    const own = methods.split(', ').filter((method) => method === 'GET' || method === 'POST')
    const isRefused = (method: string) => method === 'POST' && !line.includes('query')
    return own.filter((method) => !isRefused(method)).map((method) => `${method} ${above.slice(1).join('')}`)
  })
}
