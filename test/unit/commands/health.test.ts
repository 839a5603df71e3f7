import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { run } from '../../../src/commands/health.ts'

let servers: Server[] = []
let printed = ''
beforeEach(() => {
  printed = ''
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
})
afterEach(async () => {
  jest.restoreAllMocks()
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  servers = []
  for (const name of ['HTTP_PORT', 'SERVE_PORT', 'HTTP_HOST']) delete process.env[name]
})

/** A server that answers each path with a status and a body; null: never. */
async function listen(variable: string, answers: Record<string, [number, unknown] | null>): Promise<void> {
  const server = createServer(({ url = '' }, response) => {
    const answer = answers[url]
    if (answer === null) return
    const [status, body] = answer ?? [404, {}]
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.env[variable] = String((server.address() as AddressInfo).port)
}

/** A port at which nobody listens. */
async function nobody(variable: string): Promise<void> {
  await listen(variable, {})
  await new Promise((resolve) => servers.pop()?.close(resolve))
}

const ALIVE = { status: 'alive', conditions: {} }
const WAITING = {
  status: 'not ready',
  conditions: { kafka: { ok: true, since: '' }, mongodb: { ok: false, detail: 'no primary', since: '' } },
}

describe('health', () => {
  test('is that of whoever answers', async () => {
    await listen('HTTP_PORT', { '/healthz': [200, ALIVE], '/readyz': [503, WAITING] })
    await nobody('SERVE_PORT')
    expect(await run([])).toBe(0)
    expect(await run(['--ready'])).toBe(1)
    expect(printed).toBe('process is alive\nprocess is not ready: mongodb (no primary)\n')
  })

  test('asks at loopback what listens at all addresses', async () => {
    await nobody('SERVE_PORT')
    await listen('HTTP_PORT', { '/healthz': [200, ALIVE] })
    process.env.HTTP_HOST = '0.0.0.0'
    expect(await run([])).toBe(0)
  })

  test('is bad when one of both is not well, or hangs', async () => {
    await listen('HTTP_PORT', { '/healthz': [200, ALIVE], '/readyz': null })
    await listen('SERVE_PORT', { '/healthz': [503, { status: 'dead' }] })
    expect(await run([])).toBe(1)
    expect(await run(['--ready'])).toBe(1)
    expect(printed).toBe('process is alive\nserve is dead\nprocess is silent for 3 s\n')
  }, 10_000)

  test('is unknown where nobody answers, or somebody else', async () => {
    await nobody('HTTP_PORT')
    await listen('SERVE_PORT', { '/healthz': [200, 'hello'] })
    await expect(run([])).rejects.toThrow(/nothing answers at http:\/\/127\.0\.0\.1:\d+\/healthz, nor at http/)
  })
})
