import { describe, expect, test } from '@jest/globals'
import { type ApiError, createApi, nextOf, problemOf } from '../../../web/src/api.ts'
import { createStore } from '../../../web/src/store.ts'

type Answerer = (url: string, init: RequestInit) => Response | Error | Promise<Response>

function setUp(answerer: Answerer, firstKey: string | null = null) {
  const key = createStore(firstKey)
  const sent: { url: string; headers: Record<string, string>; body: unknown }[] = []
  const api = createApi({
    async fetch(url, init) {
      sent.push({ url: String(url), headers: init?.headers as Record<string, string>, body: init?.body })
      const answer = await answerer(String(url), init ?? {})
      if (answer instanceof Error) throw answer
      return answer
    },
    page: () => 'https://cars.example/park/',
    key,
    now: () => 42,
  })
  return { api, key, sent }
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })

const failure = (asked: Promise<unknown>): Promise<ApiError> =>
  asked.then(
    () => Promise.reject(new Error('It was answered.')),
    (error) => error as ApiError,
  )

describe('a request', () => {
  test('goes below the path of the page, with the key in a header', async () => {
    const { api, sent } = setUp(() => json({ zones: [] }), 'k')
    expect((await api.get('v1/zones')).body).toEqual({ zones: [] })
    expect(sent[0]).toMatchObject({ url: 'https://cars.example/park/v1/zones', headers: { authorization: 'Bearer k' } })
  })

  test('without a key has no such header', async () => {
    const { api, sent } = setUp(() => json({}))
    await api.get('v1/zones')
    expect(Object.keys(sent[0]?.headers ?? {})).toEqual(['accept'])
  })

  test('that is refused says what the server said', async () => {
    const { api } = setUp(() => json({ title: 'No scope', detail: 'd', remedy: 'r' }, 403, { 'retry-after': '3' }))
    const { problem, waitMs } = await failure(api.get('v1/cache'))
    expect(problem).toEqual({ type: 'about:blank', title: 'No scope', status: 403, detail: 'd', remedy: 'r' })
    expect(waitMs).toBe(3_000)
  })

  test('can take another status for an answer', async () => {
    const { api } = setUp(() => json({ status: 'not ready' }, 503))
    expect((await api.get('readyz', { alsoOk: 503 })).body).toEqual({ status: 'not ready' })
  })

  test('that is answered with a page instead of JSON fails', async () => {
    const { api } = setUp(() => json('<!doctype html>'))
    expect((await failure(api.get('v1/zones'))).problem.title).toMatch(/something else than JSON/)
  })

  test('keeps the digits of ids that a double cannot hold, where it is asked to', async () => {
    const text = '{"response":{"id":9223372036854775807,"price":4.5}}'
    const { api } = setUp(() => json(text))
    expect(JSON.stringify((await api.get('v1/events/1', { exact: true })).body)).toBe(text)
  })

  test('with a card has it in the body alone', async () => {
    const { api, sent } = setUp(() => json({ events: [] }))
    await api.post('v1/events/query', { card: '4111111111111111' })
    expect(sent[0]?.url).toBe('https://cars.example/park/v1/events/query')
    expect(sent[0]?.body).toBe('{"card":"4111111111111111"}')
  })

  test('of a stream tells the position, if there is one', async () => {
    const { api, sent } = setUp(() => new Response('x'))
    await api.stream('v1/status-updates', '7', new AbortController().signal)
    await api.stream('v1/status-updates', '', new AbortController().signal)
    expect(sent.map(({ headers }) => headers['last-event-id'])).toEqual(['7', undefined])
  })
})

describe('a server that is away', () => {
  test('is so from the first failure to the next answer', async () => {
    const answers = [new TypeError('failed'), json('', 504), json({ title: 'No' }, 404)]
    const { api } = setUp(() => answers.shift() as Response)
    expect((await failure(api.get('v1/zones'))).problem.status).toBe(0)
    expect(api.away.get()).toBe(42)
    await failure(api.get('v1/zones'))
    expect(api.away.get()).toBe(42)
    await failure(api.get('v1/zones'))
    expect(api.away.get()).toBeNull()
  })

  test('is not told by a request that was given up', async () => {
    const giveUp = new AbortController()
    const { api } = setUp(() => {
      giveUp.abort()
      return new Error('given up')
    })
    await failure(api.get('v1/zones', { signal: giveUp.signal }))
    expect(api.away.get()).toBeNull()
  })
})

describe('a key', () => {
  test('is missing, then refused, then neither until it is used', async () => {
    const { api, key } = setUp(() => json({ title: 'Unauthorized' }, 401))
    await failure(api.get('v1/zones'))
    expect(api.keyNeeded.get()).toBe('missing')
    key.set('bad')
    expect(api.keyNeeded.get()).toBeNull()
    await failure(api.get('v1/zones'))
    expect(api.keyNeeded.get()).toBe('refused')
  })

  test('is not refused by the answer to an earlier one', async () => {
    const { api, key } = setUp(() => {
      key.set('new')
      return json({ title: 'Unauthorized' }, 401)
    }, 'old')
    await failure(api.get('v1/zones'))
    expect(api.keyNeeded.get()).toBeNull()
  })
})

test('a problem is told from the status where the server says nothing', async () => {
  expect(await problemOf(new Response('<html>', { status: 500, statusText: 'Oops' }))).toEqual({
    type: 'about:blank',
    title: 'Oops',
    status: 500,
  })
  expect((await problemOf(new Response(null, { status: 500 }))).title).toBe('HTTP 500')
  expect((await problemOf(json({ title: { not: 'text' }, detail: 7 }, 400))).title).toBe('HTTP 400')
})

describe('the next page', () => {
  const base = 'https://cars.example/v1/sessions?limit=50'
  test.each([
    [null, null],
    ['', null],
    ['</v1/sessions?after=9>; rel="next"', 'https://cars.example/v1/sessions?after=9'],
    ['</first>; rel="first", </v1/s?a=1%2C2>; title="x"; rel=next', 'https://cars.example/v1/s?a=1%2C2'],
    ['<https://elsewhere.example/v1>; rel="next"', null],
    ['<http://[>; rel="next"', null],
    ['</v1>; rel="prev"', null],
  ])('of %j is %j', (link, next) => expect(nextOf(link, base)).toBe(next))
})
