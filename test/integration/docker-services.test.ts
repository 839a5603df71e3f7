import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

/** A request to make a container, as far as these tests care. */
interface Wish {
  Image: string
  Cmd?: string[]
  HostConfig: { PortBindings: Record<string, { HostIp?: string; HostPort: string }[]> }
}

const INFO = { ServerVersion: '28.0.0', OperatingSystem: 'Linux', OSType: 'linux', Architecture: 'x86_64' }

// An engine that answers and has every image, but can make no container: what is asked of it shows without a real one.
describe('services in Docker', () => {
  let directory: string
  let engine: Server
  const wishes: Wish[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pm-docker-test-'))
    const socket = join(directory, 'docker.sock')
    engine = createServer(async (request, response) => {
      const { status, body } = answer(request.url ?? '', await text(request))
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((resolve) => engine.listen(socket, resolve))
    process.env.DOCKER_HOST = `unix://${socket}`
    process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
    process.env.TESTCONTAINERS_HOST_OVERRIDE = 'localhost'
  })

  afterAll(async () => {
    engine.close()
    await rm(directory, { recursive: true, force: true })
  })

  function answer(url: string, body: string): { status: number; body: unknown } {
    if (url.includes('/containers/create')) {
      wishes.push(JSON.parse(body))
      return { status: 500, body: { message: 'no room here' } }
    }
    if (url.includes('/info')) return { status: 200, body: INFO }
    if (url.includes('/images/')) return { status: 200, body: { Id: 'image' } }
    return { status: 200, body: [] }
  }

  test.each([
    ['startKafka', /cp-kafka/, '9093/tcp'],
    ['startMongodb', /^mongo:/, '27017/tcp'],
    ['startRegistry', /apicurio/, '8080/tcp'],
    ['startMysql', /^mariadb:/, '3306/tcp'],
  ] as const)('%s binds a fixed port of loopback, and says why it cannot', async (start, image, port) => {
    const docker = await import('../../local/docker.ts')
    await expect(docker[start]()).rejects.toThrow('no room here')
    const bindings = wishes.find(({ Image }) => image.test(Image))?.HostConfig.PortBindings
    expect(bindings).toEqual({ [port]: [{ HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^[23]\d{4}$/) }] })
  })

  test('a sharded cluster is one container, with ports for each of its parts', async () => {
    const { startShardedContainer } = await import('../../local/docker-sharded.ts')
    await expect(startShardedContainer()).rejects.toThrow('no room here')
    const wish = wishes.find(({ Cmd }) => /mongos --configdb/.test(String(Cmd)))
    const ports = Object.entries(wish?.HostConfig.PortBindings ?? {})
    expect(ports.map(([port]) => port).sort()).toEqual([16, 17, 18, 19, 20].map((end) => `270${end}/tcp`))
    for (const [, [binding]] of ports) expect(binding?.HostIp).toBe('127.0.0.1')
  })
})
