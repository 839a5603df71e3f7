import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { cardToken } from '../../src/contract/card-token.ts'
import { type Asked, answerIn, ask, type RawAnswer, say } from '../support/raw-http.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { type Fields, type ReadStage, startReadStage } from '../support/read-stage.ts'
import { until } from '../support/services.ts'

/** What the HTTP API does with requests of all kinds, right and wrong, where nobody needs credentials. */
const KEY = 'a key of tokens for http'
const NUMBER = '5555555555554444'
const TOKEN = cardToken(KEY, NUMBER)

let stage: ReadStage
let side: ReadSide

/** Ids that are something else to whoever does not take them as they are. */
const ODD_IDS = [
  ...['"quoted"', "it's", 'a\nb', 'a\r\nLocation: http://evil.example/', '<script>alert(1)</script>', '{"$gt":""}'],
  ...[
    'ünïcode ✓ 漢字 😀',
    '\u202ereversed',
    '\ufeffmark',
    'a\u0001b',
    ' a ',
    '+',
    'a b+c%20d',
    '%',
    '%zz',
    '%2F',
    '%252F',
  ],
  ...['a/b//c', '/', '../../etc/passwd', '..', '.', 'a?b#c', ';a=1', ':id', '*', 'query', 'a\\b', 'null', '0'],
  ...['__proto__', 'constructor', 'toString', 'x'.repeat(1024), '漢'.repeat(341), '%'.repeat(1024)],
]
const path = (prefix: string, id: string) => `${prefix}/${encodeURIComponent(id)}`

beforeAll(async () => {
  stage = await startReadStage('http', { CARD_TOKEN_KEY: KEY })
  side = await startReadSide({ ...stage.settings, LOG_LEVEL: 'debug' })
  await stage.send(
    parking('e1', 's1', 'parking_start', 1, { card: NUMBER, zone_id: '10001' }),
    parking('e2', 's1', 'payment_authorized', 2, { card: NUMBER, zone_id: '10001', status: 'authorized' }),
    parking('e3', 's3', 'parking_start', 3, { card: 'ref"\r\nSet-Cookie: a=b\r\n; rel="prev"' }),
    parking('e4', 's3', 'parking_extend', 4, { card: 'ref"\r\nSet-Cookie: a=b\r\n; rel="prev"' }),
    ...ODD_IDS.map((id, i) => parking(id, id, 'parking_start', 10 + i, { zone_id: id })),
  )
  await stage.sendRaw(
    { key: 'bad', value: '{"event_id":"a\\u0000b"}' },
    { key: 'worse', value: '{"event_id":"\\ud800"}' },
  )
  const isOnBoard = async () =>
    (await ask(side.url, path('/v1/sessions', ODD_IDS.at(-1) as string))).body.revision === 1
  await until(isOnBoard, { timeoutMs: 30_000, what: 'the last session is on the board' })
}, 180_000)

afterAll(async () => {
  await side?.stop()
  await stage?.[Symbol.asyncDispose]()
}, 60_000)

/** Whatever was asked for: the log has no card number, in no writing, and no token. */
afterEach(() => {
  expect(side.log()).not.toMatch(/5555\D{0,6}5555/)
  expect(side.log()).not.toContain(TOKEN)
})

function parking(id: string, session: string, type: string, seconds: number, more: Fields = {}): Fields {
  const at = (after: number) => new Date(Date.now() + 1_000 * after).toISOString()
  return {
    ...{ event_id: id, event_type: type, timestamp: at(seconds), status: 'success', ...more },
    session_data: { session_id: session, end_time: at(3_600), license_plate: 'ABC123' },
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const get = (where: string, asked: Asked = {}) => ask(side.url, where, asked)
const post = (body: string, headers: Record<string, string> = JSON_TYPE) =>
  get('/v1/events/query', { method: 'POST', headers, body })

/** It is an error as all are, and gives nothing away. */
function expectProblem(answer: RawAnswer, status: number): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json; charset=utf-8'])
  expect(answer.headers['cache-control']).toBe('no-store')
  const { type, title, status: told, ...more } = answer.body
  expect(type).toMatch(/^\/problems\/[a-z-]+$/)
  expect([typeof title, told]).toEqual(['string', status])
  for (const name of Object.keys(more)) expect(['detail', 'remedy']).toContain(name)
  expect(answer.text).not.toMatch(/\bat .*:\d+:\d+|node_modules|\.[jt]s\b|FST_|Error:/)
  expectGuarded(answer)
}

/** The headers of every answer. */
function expectGuarded({ headers }: RawAnswer): void {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
  })
  const policy = String(headers['content-security-policy'])
  expect(policy).toMatch(/^default-src 'none';.*frame-ancestors 'none'/)
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  for (const name of Object.keys(headers)) {
    expect(name).not.toMatch(/^access-control-|^server$|^x-powered-by$|^strict-transport-security$|^set-cookie$/)
  }
}

describe('API4: unrestricted resource consumption', () => {
  test.each(['0', '501', '-1', '1.5', '1e9', 'abc', '', '99999999999999999999', '1&limit=2'])(
    'a page has 1 to 500 items: limit=%s',
    async (limit) => {
      expectProblem(await get(`/v1/sessions?limit=${limit}`), 400)
      expectProblem(await get(`/v1/events?card=x&limit=${limit}`), 400)
    },
  )

  test('a body is small, and read no further than that', async () => {
    expectProblem(await post(JSON.stringify({ card: 'x'.repeat(17_000) })), 413)
    const headers = { ...JSON_TYPE, 'transfer-encoding': 'chunked' }
    expectProblem(await post(JSON.stringify({ card: 'x'.repeat(17_000) }), headers), 413)
  })

  test.each([
    ['deep', `{"card":${'['.repeat(8_000)}${']'.repeat(8_000)}}`],
    ['deep objects', `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`],
    ['many members', `{${Array.from({ length: 1_500 }, (_, i) => `"a${i}":1`).join()},"card":"x"}`],
    ['a long number', `{"card":"x","limit":${'9'.repeat(16_000)}}`],
    ['a long text', JSON.stringify({ card: 'x'.repeat(1_025) })],
    ['a long cursor', JSON.stringify({ card: 'x', before: 'x'.repeat(4_097) })],
  ])('JSON of any shape is refused quickly: %s', async (_, body) => {
    const began = performance.now()
    expectProblem(await post(body), 400)
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  test('addresses and headers are bounded', async () => {
    expectProblem(await get(`/v1/events/${'x'.repeat(4_097)}`), 414)
    expectProblem(await get(`/v1/events/${'x'.repeat(20_000)}`), 431)
    expectProblem(await get('/v1/zones', { headers: { 'x-long': 'x'.repeat(20_000) } }), 431)
    expectProblem(await get(`/v1/sessions?zone=${'x'.repeat(1_025)}`), 400)
    expectProblem(await get(`/v1/status-updates?${'zone=x&'.repeat(101)}`), 400)
  })

  test('who is slow on purpose is not waited for, and keeps nobody else waiting', async () => {
    const head = `POST /v1/events/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
    const slowly = (pieces: string) => say(side.url, [...pieces], { everyMs: 200, timeoutMs: 30_000 })
    const slow = [
      ...Array.from({ length: 20 }, () => slowly(`${head}X-A: ${'a'.repeat(200)}`)),
      ...Array.from({ length: 20 }, () =>
        say(side.url, [`${head}Content-Length: 100\r\n\r\n`, ...'{"card":"xxxxxxxxxx'], {
          everyMs: 1_000,
          timeoutMs: 30_000,
        }),
      ),
    ]
    // And some say nothing at all.
    const idle = Array.from({ length: 200 }, () => say(side.url, [], { timeoutMs: 30_000 }))
    for (let i = 0; i < 20; i++) {
      const began = performance.now()
      expect((await get('/v1/events/e1')).status).toBe(200)
      expect(performance.now() - began).toBeLessThan(5_000)
    }
    for (const said of await Promise.all(slow)) {
      expectProblem(answerIn(said), 408)
      expect(said.took).toBeLessThan(20_000)
    }
    for (const { took } of await Promise.all(idle)) expect(took).toBeLessThan(20_000)
  }, 60_000)

  test('nothing is packed or unpacked', async () => {
    const { headers } = await get('/v1/sessions', { headers: { 'accept-encoding': 'gzip, br' } })
    expect(headers).not.toHaveProperty('content-encoding')
    expectProblem(await post('\u001f\u008b\b', { ...JSON_TYPE, 'content-encoding': 'gzip' }), 400)
  })
})

describe('API7: server side request forgery, and who leads a browser here', () => {
  test.each(['localhost', 'LOCALHOST:8080', '127.0.0.1', '127.1.2.3:80', '[::1]', '[::1]:8080'])(
    'it answers to %s',
    async (host) => {
      expect((await get('/v1/zones', { headers: { host } })).status).toBe(200)
    },
  )

  test.each([
    ...['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', 'localhost:80@evil.example', '0.0.0.0', '[::]'],
    ...['127.0.0.1:80:80', 'localhost, evil.example', '192.168.1.1', '[::ffff:127.0.0.1]'],
  ])('it does not answer to "%s"', async (host) => {
    for (const where of ['/v1/zones', '/', '/docs', '/readyz', '/nowhere', '/v1/status-updates']) {
      expectProblem(await get(where, { headers: { host } }), 403)
    }
  })

  test('a whole address counts as well, and what a proxy says does not', async () => {
    expectProblem(await get('http://evil.example/v1/zones', { headers: { host: 'localhost' } }), 403)
    expectProblem(await get('http://localhost/v1/zones', { headers: { host: 'evil.example' } }), 403)
    expect((await get('http://localhost/v1/zones', { headers: { host: 'localhost' } })).status).toBe(200)
    const forwarded = { 'x-forwarded-host': 'localhost', forwarded: 'host=localhost', 'x-forwarded-for': '127.0.0.1' }
    expectProblem(await get('/v1/zones', { headers: { host: 'evil.example', ...forwarded } }), 403)
    const other = { 'x-forwarded-host': 'evil.example', 'x-original-url': '/metrics', 'x-rewrite-url': '/metrics' }
    expect((await get('/v1/zones', { headers: { host: 'localhost', ...other } })).body).toHaveProperty('zones')
  })

  test('nothing takes an address to ask', async () => {
    const { body } = await get('/openapi.json')
    expect(JSON.stringify(body.paths)).not.toMatch(/"(url|uri|callback|webhook|redirect\w*)"/i)
  })
})

describe('API8: security misconfiguration', () => {
  test.each<[string, Asked, number]>([
    ['/', {}, 200],
    ['/docs', {}, 200],
    ['/docs/static/swagger-ui.css', {}, 200],
    ['/openapi.json', {}, 200],
    ['/healthz', {}, 200],
    ['/metrics', {}, 200],
    ['/v1/events/e1', {}, 200],
    ['/v1/events/e1', { headers: { 'if-none-match': '*' } }, 304],
    ['/v1/zones', { method: 'HEAD' }, 200],
    ['/v1/events/none', {}, 404],
    ['/nowhere', {}, 404],
    ['/nowhere', { method: 'HEAD' }, 404],
    ['/docs/static/nothing.js', {}, 404],
    ['/docs/static/../../package.json', {}, 404],
    ['/assets/..%2f..%2fmain.js', {}, 404],
    ['/v1/zones', { method: 'OPTIONS' }, 405],
    ['/v1/events?limit=1', {}, 400],
    ['/v1/events/%zz', {}, 400],
    ['/%', {}, 400],
  ])('every answer guards itself, and no other origin reads it: %s %j', async (where, asked, status) => {
    const origin = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
    const answer = await get(where, { ...asked, headers: { ...asked.headers, ...origin } })
    expect(answer.status).toBe(status)
    if (status >= 400 && asked.method !== 'HEAD') expectProblem(answer, status)
    expectGuarded(answer)
  })

  test.each(['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])('there is nothing to %s', async (method) => {
    for (const where of ['/v1/events/e1', '/v1/zones', '/metrics', '/openapi.json', '/v1/status-updates']) {
      const answer = await get(where, { method, headers: { 'x-secret': 'not to be traced' } })
      expectProblem(answer, 405)
      expect(answer.headers.allow).toMatch(/^GET(, HEAD)?$/)
      expect(answer.text).not.toContain('traced')
    }
  })

  test('methods of others are not found, and a query is posted', async () => {
    expectProblem(await get('/v1/zones', { method: 'PROPFIND' }), 404)
    expectProblem(await get('/v1/zones', { method: 'PURGE' }), 404)
    const answer = await get('/v1/events/query', { method: 'DELETE' })
    expectProblem(answer, 405)
    expect(answer.headers.allow).toBe('GET, HEAD, POST')
  })

  test('pages have nothing within their text that their policy forbids', async () => {
    for (const where of ['/', '/docs', '/docs/']) {
      const { text, headers } = await get(where)
      expect(headers['content-type']).toMatch(/^text\/html/)
      expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|<base|<iframe/i)
      for (const [, attributes] of text.matchAll(/<script([^>]*)>/gi)) expect(attributes).toMatch(/\ssrc="[./]/)
      for (const [, address = ''] of text.matchAll(/\s(?:src|href)="([^"]*)"/g)) {
        expect(address).not.toMatch(/^(https?:)?\/\//)
        if (address.startsWith('data:')) continue
        const file = new URL(address, `${side.url}${where}`)
        const { status, headers: its } = await get(file.pathname)
        expect([address, status]).toEqual([address, 200])
        if (where === '/') expect(its['cache-control']).toBe('public, max-age=31536000, immutable')
      }
      if (where === '/') expect(headers['cache-control']).toBe('no-cache')
    }
  })

  test.each<[string, () => Promise<RawAnswer>, number]>([
    ['JSON that is none', () => post('{"card":'), 400],
    ['no body', () => post(''), 400],
    ['another type', () => post('card=x', { 'content-type': 'application/x-www-form-urlencoded' }), 415],
    ['plain text', () => post('{"card":"x"}', { 'content-type': 'text/plain' }), 415],
    ['a type that is none', () => post('{"card":"x"}', { 'content-type': 'application/json, text/plain' }), 415],
    ['no type', () => post('{"card":"x"}', {}), 415],
    ['bad UTF-8 in the path', () => get('/v1/events/%ED%A0%80'), 400],
    ['half an escape', () => get('/v1/sessions/%e'), 400],
    ['bad escapes of nothing', () => get('/nowhere/%zz'), 400],
    ['a parameter that nobody knows', () => get('/v1/zones?zone=1'), 400],
    ['an expectation', () => get('/nowhere', { headers: { expect: 'the-unexpected' } }), 404],
  ])('an error is a problem: %s', async (_, make, status) => {
    expectProblem(await make(), status)
  })

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['an empty Host', 'GET /v1/zones HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 403],
    ['no Host, as of old', 'GET /v1/zones HTTP/1.0\r\n\r\n', 403],
    ['no Host', 'GET /v1/zones HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a bare line feed in a header', 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nY: b\r\n\r\n', 400],
    [
      'bad chunks',
      'POST /v1/events/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['too many headers', `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: a\r\n'.repeat(4_000)}\r\n`, 431],
  ])('what is no request is a problem too: %s', async (_, text, status) => {
    expectProblem(answerIn(await say(side.url, [text])), status)
  })
})

describe('API9: improper inventory management', () => {
  test.each([
    ...['/v1', '/v1/', '/v2/zones', '/api', '/admin', '/debug', '/.env', '/.git/config', '/config', '/server-status'],
    ...['/v1/events/e1/', '/v1/events/e1/raw', '/V1/zones', '//v1/zones', '/v1//zones', '/v1/cards', '/v1/keys'],
    ...['/healthz/', '/docs/../openapi.json', '/main.js', '/package.json', '/swagger', '/graphql', '/actuator'],
  ])('there is no %s', async (where) => {
    expectProblem(await get(where), 404)
  })
})

describe('API10: unsafe consumption of what comes from elsewhere', () => {
  test.each(ODD_IDS.map((id) => [JSON.stringify(id).slice(0, 60), id]))(
    'the id %s is found by it, exactly',
    async (_, id) => {
      const event = await get(path('/v1/events', id))
      expect([event.status, event.body._id]).toEqual([200, id])
      expectGuarded(event)
      const session = await get(path('/v1/sessions', id))
      expect(session.body).toMatchObject({ session_id: id, zone_id: id, revision: 1, events: [{ _id: id }] })
      const zone = await get(path('/v1/zones', id))
      expect(zone.body).toMatchObject({ zone_id: id, parked: 1, by_status: { 'on-going': 1 } })
      const { body } = await get(`/v1/sessions?${new URLSearchParams({ zone: id })}`)
      expect(body.sessions.map((one: Fields) => one.session_id)).toEqual([id])
    },
  )

  test('lists go on behind each of them, and all zones are there', async () => {
    const seen: string[] = []
    let next: string | undefined = '/v1/sessions?limit=2'
    while (next !== undefined && seen.length < 200) {
      const page: RawAnswer = await get(next)
      expectGuarded(page)
      seen.push(...page.body.sessions.map((one: Fields) => one.session_id))
      next = /^<([^<>"\s]+)>; rel="next"$/.exec(String(page.headers.link))?.[1]
    }
    expect(seen.sort()).toEqual([...ODD_IDS, 's1', 's3'].sort())
    const { body } = await get('/v1/zones')
    expect(body.zones.map((one: Fields) => one.zone_id).sort()).toEqual([...ODD_IDS, '10001'].sort())
  })

  test('a card that is a header of its own makes none', async () => {
    const card = 'ref"\r\nSet-Cookie: a=b\r\n; rel="prev"'
    const first = await get(`/v1/events?${new URLSearchParams({ card, limit: '1' })}`)
    expectGuarded(first)
    const [, next = ''] = /^<([^<>"\s]+)>; rel="next"$/.exec(String(first.headers.link)) ?? []
    const rest = await get(next)
    expect([...first.body.events, ...rest.body.events].map((one: Fields) => one._id)).toEqual(['e4', 'e3'])
    expect(rest.headers).not.toHaveProperty('link')
  })

  test('ids that no record can have are not found, or not right', async () => {
    expectProblem(await get('/v1/events/a%00b'), 404)
    expectProblem(await get(path('/v1/events', 'x'.repeat(1_025))), 400)
    for (const prefix of ['/v1/events', '/v1/sessions', '/v1/zones']) {
      expectProblem(await get(path(prefix, '漢'.repeat(342))), 400)
      expectProblem(await get(`${prefix}/`), 400)
    }
  })
})

describe('a card number in an address', () => {
  const WRITINGS = [
    ...[
      NUMBER,
      '5555-5555-5555-4444',
      '5555%E2%80%935555%E2%80%935555%E2%80%934444',
      '5555+5555+5555+4444',
      '5555%205555%205555%204444',
    ],
    ...[
      '5555%2D5555%2D5555%2D4444',
      '%35%35%35%35555555554444',
      '5555.5555.5555.4444',
      '5555%25205555%25205555%25204444',
    ],
    ...['id-5555555555554444-1', '5555%C2%A05555%C2%A05555%C2%A04444', Buffer.from(NUMBER).toString('base64url')],
  ]

  test.each(WRITINGS)('%s is refused, and not said again', async (number) => {
    const inPath = number.replaceAll('+', '%20')
    const asked = [
      ...[`/v1/events/${inPath}`, `/v1/sessions/${inPath}`, `/v1/zones/${inPath}`, `/v1/zones/1?hours=${number}`],
      ...['card', 'zone', 'status', 'before', 'limit', 'number'].map((name) => `/v1/sessions?${name}=${number}`),
      ...['card', 'zone', 'session', 'kind', 'all', 'number'].map((name) => `/v1/status-updates?${name}=${number}`),
      ...[`/v1/events?card=${number}`, `/v1/events?card=x&before=${number}`, `/v1/occupancy?hours=${number}`],
      ...[`/v1/zones?a=${number}`, `/v1/zones?${number}=1`, `/v1/events/e1?a=${number}`, `/metrics?a=${number}`],
      `/v1/cache?a=${number}`,
    ]
    for (const where of asked) {
      const answer = await get(where)
      expect([where, answer.status]).toEqual([where, 400])
      expectProblem(answer, 400)
      expect(answer.text + JSON.stringify(answer.headers)).not.toMatch(/5555|4444/)
    }
    expect((await get(`/v1/events?card=${number}`)).body).toMatchObject({
      type: '/problems/card-number-in-url',
      remedy: expect.stringContaining('POST /v1/events/query'),
    })
    for (const where of [`/nowhere/${inPath}`, `/v1/events/%zz${inPath}`, `/docs/${inPath}`]) {
      expect((await get(where)).text).not.toMatch(/5555|4444/)
    }
  })

  test('in a body it is what is asked for', async () => {
    const answer = await post(JSON.stringify({ card: '5555 5555 5555 4444' }))
    expect(answer.body.events.map((one: Fields) => one._id)).toEqual(['e2', 'e1'])
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers).not.toHaveProperty('etag')
    const known = await post(JSON.stringify({ card: NUMBER }), { ...JSON_TYPE, 'if-none-match': '*' })
    expect(known.status).toBe(200)
  })
})

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
    await stage.sendRaw({
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
    const settings = { ...stage.settings, STATUS_TOPIC: 'a-topic-that-is-not-there-yet' }
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
    await stage.sendRaw({ key: 'e3', value: null })
    await until(async () => (await get('/v1/events/e3')).status === 410, { timeoutMs: 20_000, what: 'it is gone' })
    expectDeclared('/v1/events/{id}', 'get', await get('/v1/events/e3'))
    expectDeclared('/v1/sessions/{session_id}', 'get', await get('/v1/sessions/none'))
    for (const body of [{ card: NUMBER, limit: 1 }, { card: 'x'.repeat(2_000) }, { card: 'x'.repeat(20_000) }]) {
      expectDeclared('/v1/events/query', 'post', await post(JSON.stringify(body)))
    }
    expectDeclared('/v1/events/query', 'post', await post('x', { 'content-type': 'text/plain' }))
  })
})
