import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { forward } from '../support/registry-proxy.ts'
import { runMain } from '../support/run-main.ts'
import { sharedServices } from '../support/services.ts'

const execute = promisify(execFile)
const { registryUrl } = sharedServices()

const newTopics = () => {
  const id = randomUUID().slice(0, 8)
  const names = { EVENTS_TOPICS: `e1-${id},e2-${id}`, RESPONSES_TOPICS: `r-${id}`, STATUS_TOPIC: `s-${id}` }
  return { id, names, env: { ...names, SCHEMA_REGISTRY_URL: registryUrl } }
}

async function post(path: string, content: object): Promise<unknown> {
  const response = await fetch(`${registryUrl}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(content),
  })
  return response.json()
}

const STRANGER = JSON.stringify({ type: 'record', name: 'Stranger', fields: [{ name: 'size', type: 'int' }] })
const RECORDS = ['com.parkmobile.parking.ParkingEvent', 'com.parkmobile.parking.ApiResponse']
const standings = (stdout: string) =>
  Object.fromEntries(
    (JSON.parse(stdout) as { subject: string; standing: string }[]).map(({ subject, standing }) => [subject, standing]),
  )

describe('schemas', () => {
  test('tells how ours stand, registers them under topic and record name, and tells that too', async () => {
    const { id, env } = newTopics()
    const before = await runMain(['schemas', 'check', '--json'], env)
    expect([before.code, before.stderr]).toEqual([0, ''])
    expect(standings(before.stdout)).toMatchObject({ [`e1-${id}-value`]: 'new', [`s-${id}-value`]: 'new' })

    const { code, stdout } = await runMain(['schemas', 'register'], env)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^SUBJECT +SCHEMA +STANDING\n/)
    expect(stdout).toMatch(new RegExp(`^s-${id}-value +status-update +registered`, 'm'))
    const after = await runMain(['schemas', 'check', '--json'], env)
    const topics = [`e1-${id}`, `e2-${id}`, `r-${id}`, `s-${id}`].map((topic) => `${topic}-value`)
    const all = [...topics, ...RECORDS, 'com.pmparking.events.StatusUpdate']
    expect(standings(after.stdout)).toEqual(Object.fromEntries(all.map((subject) => [subject, 'registered'])))
  })

  test('with one that is incompatible registers nothing, and exits with 1', async () => {
    const { id, env } = newTopics()
    await post(`subjects/r-${id}-value/versions`, { schema: STRANGER })
    const level = { method: 'PUT', headers: { 'content-type': 'application/json' } }
    await fetch(`${registryUrl}/config/r-${id}-value`, { ...level, body: '{"compatibility":"BACKWARD"}' })
    const { code, stdout, stderr } = await runMain(['schemas', 'register'], env)
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`^r-${id}-value +response +incompatible`, 'm'))
    expect(stderr).toContain('1 incompatible, so nothing was registered. Use another topic')
    expect(stdout).toMatch(new RegExp(`^e1-${id}-value +event +new`, 'm'))
    const others = await runMain(['schemas', 'register', 'event', 'status-update'], env)
    expect([others.code, others.stdout]).toEqual([0, expect.not.stringContaining('ApiResponse')])
  })

  test.each([
    [['schemas'], 2, /check or register\? Say which/],
    [['schemas', 'check', 'events'], 2, /unknown schema 'events'; there are event, response, status-update/],
    [['schemas', 'check'], 1, /SCHEMA_REGISTRY_URL is not set/],
  ])('%j is refused with %i', async (args, expected, message) => {
    const { code, stderr } = await runMain(args)
    expect([code, stderr]).toEqual([expected, expect.stringMatching(message)])
  })
})

describe('a registry that asks for TLS and a password', () => {
  let directory: string
  let server: Server
  let env: Record<string, string>

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'registry-tls-'))
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name)) as [string, string]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    await execute('openssl', ['req', '-x509', ...made, '-keyout', key, '-out', cert, ...subject])
    const secret = `Basic ${Buffer.from('reader:se cret').toString('base64')}`
    server = createServer({ key: await readFile(key), cert: await readFile(cert) }, async (request, response) => {
      if (request.headers.authorization !== secret) {
        response.writeHead(401, { 'content-type': 'application/json' }).end('{"error_code":401,"message":"who?"}')
        return
      }
      await forward(new URL(registryUrl), request, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    env = {
      ...newTopics().names,
      SCHEMA_REGISTRY_URL: `https://127.0.0.1:${port}${new URL(registryUrl).pathname}`,
      SCHEMA_REGISTRY_USERNAME: 'reader',
      SCHEMA_REGISTRY_PASSWORD: 'se cret',
      NODE_EXTRA_CA_CERTS: cert,
    }
  })
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  })

  test('takes our schemas, and gives them to the reader', async () => {
    const { code, stdout } = await runMain(['schemas', 'register', 'event'], env)
    expect([code, stdout]).toEqual([0, expect.stringContaining('registered')])
    const [topic] = env.EVENTS_TOPICS?.split(',') ?? []
    const versions = await fetch(`${registryUrl}/subjects/${topic}-value/versions/latest`)
    const { id } = (await versions.json()) as { id: number }
    const reader = fileURLToPath(new URL('../../src/decode/registry.ts', import.meta.url))
    const { fields } = JSON.parse(await readFile('schemas/event.avsc', 'utf8'))
    const value = `046531${'00'.repeat(fields.length - 1)}` // e1, and all else null
    const script = `import { createSchemaReader } from ${JSON.stringify(reader)}
      const reader = createSchemaReader({ url: process.env.SCHEMA_REGISTRY_URL, username: 'reader', password: 'se cret' })
      await reader.prepare([${id}])
      console.log(JSON.stringify(reader.decode(${id}, Buffer.from('${value}', 'hex'))).slice(0, 24))`
    const args = ['--no-warnings', '--input-type=module', '-e', script]
    const read = await execute(process.execPath, args, { env: { ...env, PATH: process.env.PATH } })
    expect(read.stdout).toBe('{"value":{"event_id":"e1\n')
  })

  test.each([
    ['the password is wrong', { SCHEMA_REGISTRY_PASSWORD: 'other' }, /answered 401 .*set SCHEMA_REGISTRY_USERNAME/],
    ['nobody vouches for its certificate', { NODE_EXTRA_CA_CERTS: '' }, /self-signed certificate/],
  ])('and is not asked on when %s', async (_, wrong, message) => {
    const { code, stderr } = await runMain(['schemas', 'check'], { ...env, ...wrong })
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
    expect(stderr).not.toMatch(/se cret|other/)
  })
})
