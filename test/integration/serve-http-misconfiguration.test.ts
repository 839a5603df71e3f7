import { describe, expect, test } from '@jest/globals'
import { expectGuarded, expectProblem } from '../support/expect-problem.ts'
import { httpUnderTest } from '../support/http-under-test.ts'
import { type Asked, answerIn, type RawAnswer, say } from '../support/raw-http.ts'

/** What answers and errors of all kinds show, what pages may load, and which methods and paths there are. */
const http = httpUnderTest()
const { get, post } = http

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
        const file = new URL(address, `${http.side.url}${where}`)
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
    expectProblem(answerIn(await say(http.side.url, [text])), status)
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
