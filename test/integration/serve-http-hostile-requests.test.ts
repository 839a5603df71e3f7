import { describe, expect, test } from '@jest/globals'
import { expectGuarded, expectProblem } from '../support/expect-problem.ts'
import { HEADER_CARD, httpUnderTest, JSON_TYPE, NUMBER, ODD_IDS, path } from '../support/http-under-test.ts'
import { answerIn, type RawAnswer, say } from '../support/raw-http.ts'
import type { Fields } from '../support/read-stage.ts'

/** Requests that want too much, are led here from elsewhere, or hold what could be taken for something else. */
const http = httpUnderTest()
const { get, post } = http

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
    const slowly = (pieces: string) => say(http.side.url, [...pieces], { everyMs: 200, timeoutMs: 30_000 })
    const slow = [
      ...Array.from({ length: 20 }, () => slowly(`${head}X-A: ${'a'.repeat(200)}`)),
      ...Array.from({ length: 20 }, () =>
        say(http.side.url, [`${head}Content-Length: 100\r\n\r\n`, ...'{"card":"xxxxxxxxxx'], {
          everyMs: 1_000,
          timeoutMs: 30_000,
        }),
      ),
    ]
    // And some say nothing at all.
    const idle = Array.from({ length: 200 }, () => say(http.side.url, [], { timeoutMs: 30_000 }))
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
    const first = await get(`/v1/events?${new URLSearchParams({ card: HEADER_CARD, limit: '1' })}`)
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
