import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { until } from '../../../local/until.ts'
import { traceparent } from '../../../src/contract/trace-context.ts'
import { createCommon, type TraceSpans } from '../../../src/operate/registry.ts'
import { startTracing } from '../../../src/operate/start-tracing.ts'
import { type SpanStart, type Tracing, typeOf } from '../../../src/operate/tracing.ts'

const SPAN: SpanStart = { name: 'process a', kind: 'consumer', attributes: {} }
const PATIENCE = { timeoutMs: 20_000 }
let server: Server
let bodies: Buffer[]
let paths: (string | undefined)[]
let said: string[]
let spans: TraceSpans
let registry: Registry

beforeEach(() => {
  bodies = []
  paths = []
  said = []
  registry = new Registry()
  spans = createCommon([registry]).traceSpans
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const ELSEWHERE = {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/elsewhere',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  OTEL_TRACES_SAMPLER: 'always_off',
  OTEL_RESOURCE_ATTRIBUTES: 'secret=from-the-environment',
}

/** An OTLP endpoint; `answer` is called once all of a request is there. */
async function endpoint(answer: RequestListener): Promise<string> {
  server = createServer(async (request, response) => {
    paths.push(request.url)
    bodies.push(Buffer.concat(await request.toArray()))
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const takes: RequestListener = (_, response) => response.writeHead(200).end()

async function start(address: string, options: { share?: number; headers?: Record<string, string> } = {}) {
  const log = pino({}, new Writable({ write: (line, _, done) => done(said.push(String(line)) ? null : null) }))
  const settings = { endpoint: address, headers: {}, serviceName: 'a service', share: 1, ...options }
  return (await startTracing(settings, spans, log)) as Tracing
}

const count = async (result: string) => {
  const { values } = await spans.get()
  return values.find(({ labels }) => labels.result === result)?.value
}

describe('where no traces are wanted', () => {
  test('nothing is loaded for them', async () => {
    expect(await startTracing(null, spans, pino({ level: 'silent' }))).toBeNull()
    const program = `
      import { registerHooks } from 'node:module'
      const seen = []
      registerHooks({ resolve: (name, context, next) => { seen.push(name); return next(name, context) } })
      await import('./src/commands/process.ts')
      await import('./src/commands/serve.ts')
      const { startTracing } = await import('./src/operate/start-tracing.ts')
      await startTracing(null)
      console.log(seen.includes('kafkajs'), seen.filter((name) => /opentelemetry.(?!api)|open-telemetry/.test(name)))
      process.exit()`
    const cwd = fileURLToPath(new URL('../../..', import.meta.url))
    const args = ['--no-warnings', '--input-type=module', '-e', program]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
    expect(stdout + stderr).toBe('true []\n')
  }, 30_000)
})

describe('traces', () => {
  test('go to v1/traces below the endpoint, whatever else the environment says, and at the end what is left', async () => {
    Object.assign(process.env, ELSEWHERE)
    const address = await endpoint(takes)
    const tracing = await start(`${address}/below`)
    await tracing.begin(SPAN, [], async () => {})
    await tracing[Symbol.asyncDispose]()
    expect(paths).toEqual(['/below/v1/traces'])
    const text = String(bodies[0])
    expect(text).toContain('a service')
    expect(text).not.toContain('from-the-environment')
    expect(await count('exported')).toBe(1)
    for (const name in ELSEWHERE) delete process.env[name]
  })

  test('are a share of what nobody has decided about, and all where one that is recorded led to it', async () => {
    const tracing = await start(await endpoint(takes), { share: 0 })
    const [recorded, other] = [
      traceparent('a'.repeat(32), 'b'.repeat(16), 1),
      traceparent('c'.repeat(32), 'd'.repeat(16), 0),
    ]
    const isRecorded = (links: (typeof recorded)[]) =>
      tracing.begin(SPAN, links, async (span) => span.traceparent !== null)
    expect(await isRecorded([])).toBe(false)
    expect(await isRecorded([other])).toBe(false)
    expect(await isRecorded([other, recorded])).toBe(true)
    await tracing[Symbol.asyncDispose]()
  })

  test('have parts only where something is under way', async () => {
    const tracing = await start(await endpoint(takes))
    expect(await tracing.part(SPAN, async (span) => span)).toBeNull()
    expect(tracing.open(SPAN)).toBeNull()
    await tracing.begin(SPAN, [], async (chunk) => {
      const inner = await tracing.part(SPAN, async (span) => span?.traceparent)
      expect(inner?.slice(0, 35)).toBe(chunk.traceparent?.slice(0, 35))
      expect(inner).not.toBe(chunk.traceparent)
    })
    await tracing[Symbol.asyncDispose]()
  })

  test('tell of an error its type, and nothing that it says', async () => {
    const tracing = await start(await endpoint(takes))
    const error = Object.assign(new Error('card 4111111111111111'), { codeName: 'DuplicateKey' })
    await expect(tracing.begin(SPAN, [], () => Promise.reject(error))).rejects.toBe(error)
    await tracing[Symbol.asyncDispose]()
    expect(String(bodies[0])).toContain('DuplicateKey')
    expect(String(bodies[0])).not.toContain('4111111111111111')
  })

  test('count the links that are left out', async () => {
    const tracing = await start(await endpoint(takes))
    const links = Array.from({ length: 200 }, (_, i) =>
      traceparent((i + 1).toString(16).padStart(32, '0'), 'b'.repeat(16), 1),
    )
    await tracing.begin(SPAN, links, async () => {})
    await tracing[Symbol.asyncDispose]()
    expect(String(bodies[0])).toContain('pm.links.left_out')
    // 128 links of a trace id, a span id and what stands between them.
    expect(bodies[0]?.length).toBeGreaterThan(128 * 24)
    expect(bodies[0]?.length).toBeLessThan(150 * 48)
  })
})

describe('a collector', () => {
  test('that is away costs spans, which are counted, and one line in the log', async () => {
    const address = await endpoint(takes)
    server.close()
    const tracing = await start(address)
    for (let i = 0; i < 10_000; i++) await tracing.begin(SPAN, [], async () => {})
    await until(async () => Number(await count('dropped')) > 7_000, { ...PATIENCE, what: 'spans are dropped' })
    await until(() => said.length > 0, { ...PATIENCE, what: 'the log tells' })
    await until(async () => Number(await count('failed')) >= 512, { ...PATIENCE, what: 'spans are given up' })
    expect(said).toHaveLength(1)
    expect(JSON.parse(said[0] ?? '')).toMatchObject({ level: 40, reason: expect.stringContaining('ECONNREFUSED') })
    await tracing[Symbol.asyncDispose]()
  }, 60_000)

  test('that does not answer holds up nobody at the end', async () => {
    const tracing = await start(await endpoint(() => {}))
    await tracing.begin(SPAN, [], async () => {})
    const began = Date.now()
    await tracing[Symbol.asyncDispose]()
    expect(Date.now() - began).toBeLessThan(3_000)
  })

  test('is given the headers that are set, and those that the exporter alone takes from the environment', async () => {
    process.env.OTEL_EXPORTER_OTLP_TRACES_HEADERS = 'x-tenant=parking,authorization=another'
    let seen: unknown
    const address = await endpoint((request, response) => {
      seen = [request.headers.authorization, request.headers['x-tenant']]
      takes(request, response)
    })
    const tracing = await start(address, { headers: { authorization: 'Bearer token' } })
    await tracing.begin(SPAN, [], async () => {})
    await tracing[Symbol.asyncDispose]()
    delete process.env.OTEL_EXPORTER_OTLP_TRACES_HEADERS
    expect(seen).toEqual(['Bearer token', 'parking'])
  })
})

test.each([
  [{ codeName: 'HostUnreachable', code: 6, name: 'MongoServerError' }, 'HostUnreachable'],
  [{ code: 'ECONNREFUSED', name: 'Error' }, 'ECONNREFUSED'],
  [new TypeError('card 4111111111111111'), 'TypeError'],
  [{ name: 'card 4111111111111111' }, 'error'],
  ['4111111111111111', 'error'],
  [undefined, 'error'],
])('the type of %p is %s', (error, type) => {
  expect(typeOf(error)).toBe(type)
})
