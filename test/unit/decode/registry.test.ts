import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createSchemaReader, RegistryUnavailable } from '../../../src/decode/registry.ts'

/**
 * How a registry fails: a real HTTP server that misbehaves on purpose. That all is well with a real registry is tested in
 * `integration/registry-decode.test.ts`.
 */
type Answer = (request: IncomingMessage, response: ServerResponse) => void

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function registryThat(answer: Answer) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server }
}

const says =
  (status: number, body: unknown, type = 'application/vnd.schemaregistry.v1+json'): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': type })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

const anonymous = { username: null, password: null }
const QUICK = { requestTimeoutMs: 200, lookUpTimeoutMs: 2_000, rememberFailureMs: 60_000 }
const STRING = { schema: '{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}' }
const PAYLOAD = Buffer.from([2, 0x78])
const NOT_FOUND = { error_code: 40403, message: 'Schema 7 not found' }

describe('a schema', () => {
  test('is fetched once, also when many ask at the same time', async () => {
    const { url, requests } = await registryThat(says(200, STRING))
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await Promise.all([reader.prepare([7]), reader.prepare([7]), reader.prepare([7])])
    await reader.prepare([7])
    expect(requests).toEqual(['/schemas/ids/7'])
    expect(reader.decode(7, PAYLOAD)).toEqual({ value: { a: 'x' } })
  })

  test('is fetched once with what it refers to', async () => {
    const references = [{ name: 'Z', subject: 'zones', version: 1 }]
    const schema = '{"type":"record","name":"R","fields":[{"name":"z","type":"Z"}]}'
    const zone = '{"type":"record","name":"Z","fields":[{"name":"a","type":"string"}]}'
    const { url, requests } = await registryThat((request, response) =>
      says(200, request.url === '/schemas/ids/7' ? { schema, references } : { schema: zone })(request, response),
    )
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await Promise.all([reader.prepare([7]), reader.prepare([7])])
    expect(reader.decode(7, PAYLOAD)).toEqual({ value: { z: { a: 'x' } } })
    expect(requests).toEqual(['/schemas/ids/7', '/subjects/zones/versions/1?name=Z'])
  })

  test('is asked for with the credentials given', async () => {
    let seen: string | undefined
    const { url } = await registryThat((request, response) => {
      seen = request.headers.authorization
      says(200, STRING)(request, response)
    })
    await createSchemaReader({ url, username: 'ada', password: 'pw' }, QUICK).prepare([7])
    expect(seen).toBe(`Basic ${Buffer.from('ada:pw').toString('base64')}`)
  })

  test('that the registry does not know is a reject, and is not asked for again soon', async () => {
    const { url, requests } = await registryThat(says(404, NOT_FOUND))
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await reader.prepare([7])
    await reader.prepare([7])
    expect(reader.decode(7, PAYLOAD)).toMatchObject({ reject: 'unknown_schema' })
    expect(requests).toHaveLength(1)
  })

  test('that was unknown is found when it has been registered since', async () => {
    let known = false
    const { url } = await registryThat((request, response) =>
      says(known ? 200 : 404, known ? STRING : NOT_FOUND)(request, response),
    )
    const reader = createSchemaReader({ url, ...anonymous }, { ...QUICK, rememberFailureMs: 0 })
    await reader.prepare([7])
    known = true
    await reader.prepare([7])
    expect(reader.decode(7, PAYLOAD)).toEqual({ value: { a: 'x' } })
  })

  test('that is none is a reject', async () => {
    const { url } = await registryThat(says(200, { schema: '{"type":"nonsense"}' }))
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await reader.prepare([7])
    expect(reader.decode(7, PAYLOAD)).toMatchObject({ reject: 'undecodable' })
  })

  test('that does not fit the bytes is a reject without a word of them', async () => {
    const { url } = await registryThat(says(200, STRING))
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await reader.prepare([7])
    const outcome = reader.decode(7, Buffer.from('4111111111111111'))
    expect(outcome).toMatchObject({ reject: 'undecodable' })
    expect(JSON.stringify(outcome)).not.toContain('4111')
  })

  test('that was never prepared is a fault of the program', () => {
    const reader = createSchemaReader({ url: 'http://127.0.0.1:1', ...anonymous }, QUICK)
    expect(() => reader.decode(7, PAYLOAD)).toThrow(/prepare/)
  })
})

describe('a JSON Schema', () => {
  const read = async (schema: unknown, text: string) => {
    const { url } = await registryThat(says(200, { schemaType: 'JSON', schema: JSON.stringify(schema) }))
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await reader.prepare([7])
    return reader.decode(7, Buffer.from(text))
  }
  const integer = { type: 'object', properties: { n: { type: 'integer' } } }

  test('is validated, and the value is kept exactly', async () => {
    expect(await read(integer, '{"n":9007199254740993}')).toEqual({ value: { n: 9007199254740993n } })
    expect(await read(integer, '{"n":"x"}')).toMatchObject({ reject: 'undecodable' })
  })

  test.each(['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-04/schema#'])(
    'of another draft is taken as far as it is understood: %s',
    async ($schema) => {
      const lenient = { ...integer, $schema, 'connect.name': 'x', format: 'unheard-of' }
      expect(await read(lenient, '{"n":1}')).toEqual({ value: { n: 1 } })
      expect(await read(lenient, '{"n":"x"}')).toMatchObject({ reject: 'undecodable' })
    },
  )
})

describe('an outage, never a dead letter, is', () => {
  test.each<[string, Answer, RegExp]>([
    ['a server error', says(503, { error_code: 50001, message: 'store is away' }), /store is away/],
    [
      'a refusal of our credentials',
      says(401, { error_code: 401, message: 'Unauthorized' }),
      /SCHEMA_REGISTRY_USERNAME/,
    ],
    ['a refusal of our rights', says(403, 'no', 'text/plain'), /SCHEMA_REGISTRY_USERNAME/],
    ["somebody else's 404", says(404, '<html>nothing here</html>', 'text/html'), /SCHEMA_REGISTRY_URL/],
    [
      "a registry's 404 for another path",
      says(404, { error_code: 404, message: 'HTTP 404 Not Found' }),
      /SCHEMA_REGISTRY_URL/,
    ],
    ["a proxy's page", says(200, '<html>sign in</html>', 'text/html'), /cannot be asked/],
    ['too many requests', says(429, { message: 'slow down' }), /slow down/],
    ['a failure that says null', says(500, ' null '), /cannot be asked/],
    ['silence', () => {}, /cannot be asked/],
    [
      'an answer that ends before its end',
      (_, response) => response.writeHead(200, { 'content-length': '100' }).end('{'),
      /cannot be asked/,
    ],
  ])('%s', async (_, answer, why) => {
    const { url } = await registryThat(answer)
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    const failure = await reader.prepare([7]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(RegistryUnavailable)
    expect((failure as Error).message).toMatch(why)
  })

  test('nobody at the address, whose credentials are not told', async () => {
    const { url, server } = await registryThat(says(200, STRING))
    server.close()
    const reader = createSchemaReader({ url: url.replace('//', '//ada:secret@'), ...anonymous }, QUICK)
    const failure = await reader.prepare([7]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(RegistryUnavailable)
    expect(String(failure)).not.toContain('secret')
  })

  test('over as soon as the registry is back', async () => {
    let away = true
    const { url } = await registryThat((request, response) =>
      says(away ? 503 : 200, away ? { message: 'away' } : STRING)(request, response),
    )
    const reader = createSchemaReader({ url, ...anonymous }, QUICK)
    await expect(reader.prepare([7])).rejects.toThrow(RegistryUnavailable)
    away = false
    await reader.prepare([7])
    expect(reader.decode(7, PAYLOAD)).toEqual({ value: { a: 'x' } })
  })
})
