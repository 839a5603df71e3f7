import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { standingOf } from '../../../src/stream/subjects.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** A registry that answers by the beginning of the path. */
async function registry(answers: Record<string, [status: number, body: unknown]>) {
  server = createServer((request, response) => {
    const [, answer] = Object.entries(answers).find(([path]) => request.url?.startsWith(path)) ?? []
    response.writeHead(answer?.[0] ?? 404).end(JSON.stringify(answer?.[1] ?? 'Not Found'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, username: null, password: null }
}

test.each([
  ['Confluent and Apicurio 3', 200, { is_compatible: true }],
  ['Apicurio 2 and Karapace', 404, { error_code: 40402, message: 'Version not found.' }],
])('a subject that is not there is new, whatever fits it by the word of %s', async (_, status, body) => {
  const there = await registry({
    '/subjects/': [404, { error_code: 40401, message: 'Subject not found.' }],
    '/compatibility/': [status, body],
  })
  expect(await standingOf(there, 'a-value', '"string"')).toBe('new')
})

test.each([
  ['with no body of its own', {}],
  ['as Confluent does', { '/': [404, { error_code: 404, message: 'HTTP 404 Not Found' }] }],
  ['as Apicurio does', { '/': [404, { error_code: 0, message: 'RESTEASY003210: Could not find resource' }] }],
  ['with null', { '/': [404, null] }],
] as [string, Record<string, [number, unknown]>][])(
  'a server without such pages, %s, is no registry',
  async (_, answers) => {
    const there = await registry(answers)
    await expect(standingOf(there, 'a-value', '"string"')).rejects.toThrow('SCHEMA_REGISTRY_URL')
  },
)
