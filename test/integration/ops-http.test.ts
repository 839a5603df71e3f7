import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createHealth } from '../../src/operate/health.ts'
import { type OpsServer, startOpsServer } from '../../src/operate/http.ts'
import { createLog } from '../../src/operate/log.ts'
import { createMetrics } from '../../src/operate/metrics.ts'

const log = createLog('silent')
const opened: OpsServer[] = []
afterEach(async () => {
  for (const server of opened.splice(0)) await server[Symbol.asyncDispose]()
})

async function start(port = 0) {
  const parts = { host: '127.0.0.1', port, metrics: createMetrics(), health: createHealth(), log }
  const server = await startOpsServer(parts)
  opened.push(server)
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init)
  return { ...parts, server, get }
}

describe('the ops server', () => {
  test('serves the metrics in the text format of Prometheus', async () => {
    const { get, metrics } = await start()
    metrics.deadLetters.inc({ reason: 'invalid_json' }, 2)
    const response = await get('/metrics')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(await response.text()).toContain('pm_dead_letters_total{reason="invalid_json"} 2')
  })

  test('answers readiness with each condition by name', async () => {
    const { get, health } = await start()
    health.set('kafka', true)
    health.set('mongodb', false, 'away')
    const away = await get('/readyz')
    expect(away.status).toBe(503)
    expect(await away.json()).toMatchObject({
      status: 'not ready',
      conditions: { kafka: { ok: true }, mongodb: { ok: false, detail: 'away' } },
    })
    expect((await get('/healthz')).status).toBe(200)
    health.set('mongodb', true)
    expect(await (await get('/readyz')).json()).toMatchObject({ status: 'ready' })
  })

  test('is not alive once dead', async () => {
    const { get, health } = await start()
    health.dead('a consumer ended')
    const response = await get('/healthz')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      status: 'dead',
      conditions: { process: { detail: 'a consumer ended' } },
    })
  })

  test('answers HEAD without a body, other methods with 405, other paths with 404', async () => {
    const { get } = await start()
    const head = await get('/healthz?probe=1', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await get('/metrics', { method: 'POST', body: 'x' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await get('/')).status).toBe(404)
  })

  test('names the settings when its port is taken', async () => {
    const { server } = await start()
    await expect(start(server.port)).rejects.toThrow(/HTTP_HOST 127\.0\.0\.1, HTTP_PORT \d+: the port is taken/)
  })

  test('closes at once under idle keep-alive connections, and soon under a half-sent request', async () => {
    const { server, get } = await start()
    await (await get('/healthz', { headers: { connection: 'keep-alive' } })).text()
    const half = connect(server.port, '127.0.0.1')
    const closed = new Promise((resolve) => half.on('close', resolve).on('error', () => undefined))
    await new Promise((resolve) => half.on('connect', resolve))
    half.write('GET /healthz HTTP/1.1\r\nHost: a\r\n')
    const before = performance.now()
    const tooLate = setTimeout(() => half.destroy(), 5_000)
    await server[Symbol.asyncDispose]()
    await closed
    clearTimeout(tooLate)
    expect(performance.now() - before).toBeLessThan(4_000)
  })
})
