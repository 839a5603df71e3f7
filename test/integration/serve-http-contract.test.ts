import { beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expectGuarded, expectProblem } from '../support/expect-problem.ts'
import { httpUnderTest, NUMBER, parking, path, TOKEN } from '../support/http-under-test.ts'
import { ask, type RawAnswer } from '../support/raw-http.ts'
import { startReadSide } from '../support/read-side.ts'
import type { Fields } from '../support/read-stage.ts'
import { until } from '../support/services.ts'

/** What clients can build on: ETags, caches, answers before all is known, and the description of the API. */
const http = httpUnderTest()
const { get, post } = http

describe('conditional requests and caches', () => {
  test.each([
    '/v1/events/e1',
    `/v1/events?card=${TOKEN}`,
    '/v1/sessions/s1',
    '/v1/sessions',
    '/v1/zones',
    '/openapi.json',
  ])('%s is known by its ETag while it stays the same', async (where) => {
    const [first, again] = [await get(where), await get(where)]
    const { etag = '' } = first.headers
    expect(etag).toMatch(/^"[\w-]+"$/)
    expect(again.headers.etag).toBe(etag)
    for (const known of [etag, `W/${etag}`, `"other", W/"x",${etag}`, ` * `, `"a" , ${etag} , "b"`]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await get(where, { method, headers: { 'if-none-match': known } })
        expect([known, answer.status, answer.text]).toEqual([known, 304, ''])
        expect(answer.headers).toMatchObject({ etag, 'cache-control': first.headers['cache-control'] })
        expectGuarded(answer)
      }
    }
    for (const known of ['"other"', etag.slice(0, -2), `w/${etag}`, etag.replaceAll('"', ''), '""', ',']) {
      const answer = await get(where, { headers: { 'if-none-match': known } })
      expect([known, answer.status]).toEqual([known, 200])
    }
    const head = await get(where, { method: 'HEAD' })
    expect([head.status, head.text, head.headers.etag]).toEqual([200, '', etag])
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(first.text)))
  })

  test('the ETag changes with what it is of', async () => {
    const paths = [
      '/v1/events/e1',
      `/v1/events?card=${TOKEN}`,
      '/v1/sessions/s1',
      '/v1/sessions?zone=10001',
      '/v1/zones',
    ]
    const etags = async () => (await Promise.all(paths.map((where) => get(where)))).map(({ headers }) => headers.etag)
    const before = await etags()
    await http.stage.sendRaw({
      key: 'e1',
      value: JSON.stringify(parking('e1', 's1', 'parking_stop', 50, { card: NUMBER, zone_id: '10001' })),
    })
    await until(async () => (await etags()).every((etag, i) => etag !== before[i]), {
      timeoutMs: 20_000,
      what: 'all ETags have changed',
    })
  })

  test.each<[string, RegExp | null]>([
    ['/v1/events/e2', /^pm-parking-events; (hit; ttl=\d+|fwd=miss; stored; detail=mongodb)$/],
    [`/v1/events?card=${TOKEN}`, /^pm-parking-events; (hit; ttl=\d+|fwd=miss; stored; detail=mongodb)$/],
    ['/v1/sessions/s1', /^pm-parking-events; (hit; ttl=\d+|fwd=miss; stored; detail=mongodb)$/],
    ['/v1/sessions', /^pm-parking-events; hit; detail=live$/],
    ['/v1/zones', /^pm-parking-events; hit; detail=live$/],
    ['/v1/zones/10001', /^pm-parking-events; hit; detail=live$/],
    ['/v1/occupancy', /^pm-parking-events; hit; detail=live$/],
    ['/v1/cache', null],
    ['/v1/dead-letters', null],
  ])('%s says how it was come by, and whose it is', async (where, status) => {
    const { headers } = await get(where)
    expect(headers).toMatchObject({ 'cache-control': 'private, no-cache', vary: 'Authorization, X-Api-Key' })
    if (status === null) return
    expect(headers['cache-status']).toMatch(status)
    expect(headers.age).toMatch(/^\d+$/)
  })
})

describe('before the status topic was read', () => {
  test('what it tells is unavailable for now, and the rest is there', async () => {
    const settings = { ...http.stage.settings, STATUS_TOPIC: 'a-topic-that-is-not-there-yet' }
    await using early = await startReadSide(settings, { ready: false })
    for (const where of [
      '/v1/zones',
      '/v1/zones/10001',
      '/v1/occupancy',
      '/v1/sessions',
      '/v1/sessions/s1',
      '/v1/status-updates',
    ]) {
      const answer = await ask(early.url, where)
      expectProblem(answer, 503)
      expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    }
    expect((await ask(early.url, '/readyz')).body).toMatchObject({ status: 'not ready' })
    expect((await ask(early.url, '/healthz')).status).toBe(200)
    await until(async () => (await ask(early.url, '/v1/events/e2')).status === 200, { timeoutMs: 20_000, what: 'e2' })
  })
})

interface Operation {
  parameters?: Fields[]
  requestBody: {
    content: Record<'application/json', { schema: object; example?: unknown; examples?: Record<string, Fields> }>
  }
  responses: Record<string, Fields>
}

describe('/openapi.json', () => {
  // biome-ignore lint/suspicious/noExplicitAny: it is looked into from all sides
  let api: any
  let ajv: Ajv2020
  beforeAll(async () => {
    api = (await get('/openapi.json')).body
    const isTime = (text: string) => new Date(text).toISOString() === text
    ajv = new Ajv2020({ strict: false, formats: { 'date-time': isTime } })
    ajv.addSchema(api, 'api')
  })

  const pointer = (...parts: string[]) =>
    `api#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`

  function expectDeclared(template: string, method: string, { status, headers, body }: RawAnswer): void {
    const type = String(headers['content-type']).split(';')[0] as string
    const content = api.paths[template][method].responses[status]?.content
    expect([template, status, Object.keys(content ?? {})]).toEqual([template, status, [type]])
    const isRight = ajv.compile({
      $ref: pointer('paths', template, method, 'responses', String(status), 'content', type, 'schema'),
    })
    expect([template, isRight(body), isRight.errors]).toEqual([template, true, null])
  }

  test('is an OpenAPI 3.1 document, whose parts refer to each other', () => {
    expect(api.openapi).toBe('3.1.0')
    expect(api.info).toMatchObject({ title: 'pm-parking-events', version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    const refs = [...JSON.stringify(api).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref as string)
    expect(refs.length).toBeGreaterThan(20)
    for (const ref of new Set(refs)) {
      expect(ref).toMatch(/^#\/components\/schemas\/\w+$/)
      expect(api.components.schemas).toHaveProperty(ref.split('/').at(-1) as string)
    }
    for (const [schema, definition] of Object.entries(api.components.schemas)) {
      expect([schema, ajv.validateSchema(definition as object)]).toEqual([schema, true])
    }
    for (const one of api.security)
      for (const name of Object.keys(one)) expect(api.components.securitySchemes).toHaveProperty(name)
    for (const [template, operations] of Object.entries<Fields>(api.paths)) {
      const inPath = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const operation of Object.values(operations) as Operation[]) {
        expect(operation).toMatchObject({ summary: expect.any(String), tags: [expect.any(String)] })
        const parameters = operation.parameters ?? []
        expect(parameters.filter((one) => one.in === 'path').map(({ name, required }) => [name, required])).toEqual(
          inPath.map((name) => [name, true]),
        )
        for (const [status, answer] of Object.entries(operation.responses)) {
          expect([status, typeof answer.description]).toEqual([status, 'string'])
          if (Number(status) >= 400) {
            expect(answer.content).toEqual({
              'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
            })
          }
        }
      }
    }
  })

  test('has examples of bodies that are right', () => {
    for (const [template, { post: operation }] of Object.entries<{ post?: Operation }>(api.paths)) {
      if (operation === undefined) continue
      const { schema, example, examples = {} } = operation.requestBody.content['application/json']
      const given = [example, ...Object.values(examples).map(({ value }) => value)].filter(Boolean)
      expect([template, given.length > 0]).toEqual([template, true])
      for (const body of given) expect(ajv.validate(schema, body)).toBe(true)
    }
  })

  test.each([
    ['/v1/events/{id}', '/v1/events/e1'],
    ['/v1/events/{id}', path('/v1/events', '__proto__')],
    ['/v1/events', `/v1/events?card=${TOKEN}`],
    ['/v1/sessions/{session_id}', '/v1/sessions/s1'],
    ['/v1/sessions', '/v1/sessions'],
    ['/v1/zones', '/v1/zones'],
    ['/v1/zones/{zone_id}', '/v1/zones/10001?hours=1'],
    ['/v1/occupancy', '/v1/occupancy'],
    ['/v1/cache', '/v1/cache'],
    ['/v1/dead-letters', '/v1/dead-letters'],
    ['/metrics', '/metrics'],
  ])('%s says what is answered: %s', async (template, where) => {
    const answer = await get(where)
    expect(answer.status).toBe(200)
    expectDeclared(template, 'get', answer)
    const wrong = await get(`${where}${where.includes('?') ? '&' : '?'}nonsense=1`)
    expect(wrong.status).toBe(400)
    expectDeclared(template, 'get', wrong)
  })

  test('says what else may be answered', async () => {
    expectDeclared('/v1/events/{id}', 'get', await get('/v1/events/none'))
    await http.stage.sendRaw({ key: 'e3', value: null })
    await until(async () => (await get('/v1/events/e3')).status === 410, { timeoutMs: 20_000, what: 'it is gone' })
    expectDeclared('/v1/events/{id}', 'get', await get('/v1/events/e3'))
    expectDeclared('/v1/sessions/{session_id}', 'get', await get('/v1/sessions/none'))
    for (const body of [{ card: NUMBER, limit: 1 }, { card: 'x'.repeat(2_000) }, { card: 'x'.repeat(20_000) }]) {
      expectDeclared('/v1/events/query', 'post', await post(JSON.stringify(body)))
    }
    expectDeclared('/v1/events/query', 'post', await post('x', { 'content-type': 'text/plain' }))
  })
})
