import { describe, expect, test } from '@jest/globals'
import { SCOPES, type Scope } from '../../src/serve/access/access.ts'
import { accessUnderTest, isProblem, NUMBER, parking, TOKEN } from '../support/access-under-test.ts'
import { openEventStream } from '../support/event-stream.ts'
import { type Asked, ask, type RawAnswer } from '../support/raw-http.ts'
import type { Fields } from '../support/read-stage.ts'
import { until } from '../support/services.ts'

/** Who may read what, tried on the program itself. What is tried has the names of the OWASP API Security Top 10 of 2023. */
const access = accessUnderTest()
const { by, query } = access
const { entries, keyOf, newKey, writeKeys } = access.keys

const ids = ({ body }: RawAnswer) => body.events.map(({ _id }: { _id: string }) => _id)
/** All of an answer that tells something. */
const told = ({ status, headers: { date: _, ...headers }, text }: RawAnswer) => ({ status, headers, text })

describe('API1: broken object level authorization', () => {
  test.each([
    ['an event', '/v1/events/b1', '/v1/events/b-none'],
    ['a session', '/v1/sessions/sB', '/v1/sessions/s-none'],
    ['a session that has moved away', '/v1/sessions/sM', '/v1/sessions/s-none'],
    ['the sessions of a zone', '/v1/sessions?zone=B2', '/v1/sessions?zone=none'],
    ['a zone', '/v1/zones/B2', '/v1/zones/none'],
    ['a zone over time', '/v1/zones/B2?hours=24', '/v1/zones/none?hours=24'],
  ])('%s of another zone is as if it was not there', async (_, hidden, missing) => {
    const { headers } = await by('all', hidden)
    const asked: Asked[] = [
      ...[{}, { method: 'HEAD' }, { headers: { 'if-none-match': '*' } }],
      { headers: { 'if-none-match': headers.etag ?? '' } },
    ]
    // Also when it is remembered that it is there, and that the other is not.
    for (const one of [...asked, ...asked]) {
      const answer = told(await by('zone-a', hidden, one))
      expect(answer).toEqual(told(await by('zone-a', missing, one)))
      expect(answer.headers).not.toHaveProperty('link')
    }
    expect((await by('all', hidden)).status).toBe(200)
  })

  test('an ETag shows nothing to who may not see what it is of', async () => {
    const { headers } = await by('zone-b', '/v1/events/b1')
    expect((await by('all', '/v1/events/b1', { headers: { 'if-none-match': headers.etag ?? '' } })).status).toBe(304)
    const other = await by('zone-a', '/v1/events/b1', { headers: { 'if-none-match': `"x", W/${headers.etag}` } })
    expect([other.status, other.headers.etag]).toEqual([404, undefined])
  })

  test('the events of a card are those of the own zones, in pages as if there were no others', async () => {
    expect(ids(await by('all', `/v1/events?card=${TOKEN}`))).toHaveLength(7)
    const seen: string[] = []
    let path: string | undefined = `/v1/events?card=${TOKEN}&limit=1`
    while (path !== undefined) {
      const page = await by('zone-a', path)
      expect(ids(page)).toHaveLength(1)
      seen.push(...ids(page))
      path = /^<(.+)>; rel="next"$/.exec(String(page.headers.link))?.[1]
    }
    expect(new Set(seen)).toEqual(new Set(['a1', 'a2', 'm1']))
    expect(seen).toHaveLength(3)
    const first = await query('zone-a', { card: NUMBER, limit: 2 })
    const rest = await query('zone-a', { card: NUMBER, limit: 2, before: first.body.next })
    expect([...ids(first), ...ids(rest)]).toEqual(seen)
    expect(rest.body).not.toHaveProperty('next')
  })

  test('a card of other zones is as one that nobody has', async () => {
    newKey('zone-c', SCOPES, ['C3'])
    writeKeys()
    await until(async () => (await by('zone-c', '/v1/zones')).status === 200, {
      timeoutMs: 10_000,
      what: 'the new key',
    })
    const other = `tok_${'0'.repeat(32)}`
    for (let i = 0; i < 2; i++) {
      const hidden = await by('zone-c', `/v1/events?card=${TOKEN}&limit=1`)
      expect(hidden.body).toEqual({ events: [] })
      expect(told(hidden)).toEqual(told(await by('zone-c', `/v1/events?card=${other}&limit=1`)))
    }
    expect((await by('zone-c', `/v1/sessions?card=${TOKEN}`)).body).toEqual({ sessions: [] })
  })

  test('a cursor of somebody who sees more shows no more', async () => {
    const { headers } = await by('all', `/v1/events?card=${TOKEN}&limit=1`)
    const path = /^<(.+)>; rel="next"$/.exec(String(headers.link))?.[1] ?? ''
    for (const id of ids(await by('zone-a', path.replace('limit=1', 'limit=500')))) expect(id).not.toMatch(/^b|m2/)
    const sessions = await by('all', '/v1/sessions?limit=1')
    const next = /^<(.+)>; rel="next"$/.exec(String(sessions.headers.link))?.[1] ?? ''
    const { body } = await by('zone-b', next.replace('limit=1', 'limit=500'))
    for (const { zone_id } of body.sessions) expect(zone_id).toBe('B2')
  })

  test('lists have the own zones only', async () => {
    const sessions = await by('zone-a', '/v1/sessions?limit=1')
    expect(sessions.body.sessions.map((one: Fields) => one.session_id)).toEqual(['sA'])
    expect(sessions.headers).not.toHaveProperty('link')
    expect((await by('zone-a', '/v1/zones')).body.zones.map((one: Fields) => one.zone_id)).toEqual(['A1'])
    expect((await by('zone-b', '/v1/zones')).body.zones).toMatchObject([{ zone_id: 'B2', parked: 2 }])
    expect((await by('zone-a', '/v1/occupancy')).status).toBe(403)
  })

  test('a session belongs to the zone where it is, its events to those that they name', async () => {
    const moved = await by('zone-b', '/v1/sessions/sM')
    expect(moved.body).toMatchObject({ zone_id: 'B2', revision: 2 })
    expect(ids(moved)).toEqual(['m2'])
    expect((await by('zone-a', '/v1/events/m1')).status).toBe(200)
    expect((await by('zone-a', '/v1/events/m2')).status).toBe(404)
  })

  test('what counts all zones is for who may see all', async () => {
    for (const path of ['/metrics', '/v1/cache', '/v1/dead-letters']) {
      const { status, body } = await by('zone-a', path)
      expect([status, body.detail]).toEqual([403, 'Metrics are of all zones'])
    }
  })

  test('the stream has the own zones only, whatever it is asked for', async () => {
    const url = `${access.side.url}/v1/status-updates`
    const [own, other, session] = await Promise.all([
      openEventStream(`${url}?all=true`, { headers: keyOf('zone-a') }),
      openEventStream(`${url}?all=true&zone=B2`, { headers: keyOf('zone-a') }),
      openEventStream(`${url}?all=true&session=sB&session=sN`, { headers: keyOf('zone-a') }),
    ])
    await access.stage.send(
      parking('b4', 'sB', 'parking_extend', 20, 'B2'),
      parking('b5', 'sN', 'parking_start', 21, 'B2'),
    )
    await access.stage.send(parking('a4', 'sA', 'parking_extend', 22))
    await own.has('status', 1)
    expect(own.data('status')).toMatchObject([{ event_id: 'a4', zone_id: 'A1' }])
    for (const stream of [other, session]) expect(stream.data('status')).toEqual([])
    for (const stream of [own, other, session]) stream.cut()
  })
})

describe('API3: broken object property level authorization', () => {
  const CARDS = new RegExp(`${TOKEN}|1111|ref-of-visa|visa-of-tests|\\*{3,}\\d`)

  test.each([
    ['/v1/events/a1'],
    ['/v1/sessions/sA'],
    ['/v1/sessions'],
    ['/v1/sessions?zone=A1&status=on-going'],
    ['/v1/zones'],
    ['/v1/zones/A1'],
    ['/v1/dead-letters'],
    ['/v1/cache'],
  ])('%s shows no card to who may not read them', async (path) => {
    const [whole, cut] = [await by('all', path), await by('without-cards', path)]
    expect([whole.status, cut.status]).toEqual([200, 200])
    expect(cut.text).not.toMatch(CARDS)
    expect(JSON.stringify(cut.headers)).not.toMatch(CARDS)
    if (/events|sessions/.test(path)) {
      expect(whole.text).toContain(TOKEN)
      expect(cut.headers.etag).not.toBe(whole.headers.etag)
      const known = { headers: { 'if-none-match': cut.headers.etag ?? '' } }
      expect((await by('without-cards', path, known)).status).toBe(304)
    }
  })

  test('the stream shows none either', async () => {
    const stream = await openEventStream(`${access.side.url}/v1/status-updates?all=true`, {
      headers: keyOf('without-cards'),
    })
    await access.stage.send(parking('a5', 'sA', 'parking_extend', 30))
    await stream.has('status', 1)
    expect(JSON.stringify(stream.frames)).not.toMatch(CARDS)
    stream.cut()
  })

  test('nor can it be found out by asking', async () => {
    for (const path of [`/v1/events?card=${TOKEN}`, `/v1/sessions?card=${TOKEN}`, `/v1/status-updates?card=${TOKEN}`]) {
      expect((await by('without-cards', path)).status).toBe(403)
    }
    expect((await query('without-cards', { card: NUMBER })).status).toBe(403)
  })

  test.each([
    ['{"card":"x","zones":null}'],
    ['{"card":"x","scopes":["metrics:read"]}'],
    ['{"card":"x","caller":{"zones":null}}'],
    ['{"card":"x","limit":501}'],
    ['{"card":"x","__proto__":{"zones":null}}'],
    ['{"card":"x","constructor":{"prototype":{"zones":null}}}'],
    ['{"card":{"$ne":null}}'],
    ['{"card":["x","y"]}'],
    ['{"card":"x","before":"e30"}'],
    ['[]'],
    ['"x"'],
    ['null'],
  ])('a body has nothing but what is asked for: %s', async (body) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await by('all', '/v1/events/query', { method: 'POST', headers, body })
    expect([answer.status, isProblem(answer)]).toEqual([400, true])
  })
})

describe('API5: broken function level authorization', () => {
  const routes: [path: string, needs: Scope[]][] = [
    ['/v1/events/a1', ['events:read']],
    [`/v1/events?card=${TOKEN}`, ['events:read', 'cards:read']],
    ['/v1/sessions/sA', ['events:read']],
    ['/v1/sessions', ['status:read']],
    [`/v1/sessions?card=${TOKEN}`, ['status:read', 'cards:read']],
    ['/v1/zones', ['status:read']],
    ['/v1/zones/A1', ['status:read']],
    ['/v1/occupancy', ['status:read']],
    ['/metrics', ['metrics:read']],
    ['/v1/cache', ['metrics:read']],
    ['/v1/dead-letters', ['metrics:read']],
    ...['/', '/docs', '/openapi.json', '/healthz', '/readyz'].map((path): [string, Scope[]] => [path, []]),
  ]
  const keys = [
    'all',
    'without-cards',
    'events-and-cards',
    'status-and-cards',
    ...SCOPES.map((s) => s.replace(':', '-')),
  ]
  const mayAsk = (id: string, needs: Scope[]) => needs.every((scope) => entries.get(id)?.scopes.includes(scope))

  test.each(routes)('%s needs %j', async (path, needs) => {
    for (const id of keys) {
      const answer = await by(id, path)
      expect([id, answer.status]).toEqual([id, mayAsk(id, needs) ? 200 : 403])
      const head = await by(id, path, { method: 'HEAD' })
      expect([head.status, head.text]).toEqual([answer.status, ''])
      if (answer.status === 403) expect(isProblem(answer)).toBe(true)
    }
    expect((await ask(access.side.url, path)).status).toBe(needs.length === 0 ? 200 : 401)
  })

  test('a query needs events:read and cards:read', async () => {
    for (const id of keys) {
      const { status } = await query(id, { card: NUMBER })
      expect([id, status]).toEqual([id, mayAsk(id, ['events:read', 'cards:read']) ? 200 : 403])
    }
  })

  test('status updates need status:read', async () => {
    for (const id of keys) {
      const stream = await openEventStream(`${access.side.url}/v1/status-updates`, { headers: keyOf(id) })
      expect([id, stream.status]).toEqual([id, mayAsk(id, ['status:read']) ? 200 : 403])
      stream.cut()
    }
    expect((await by('all', '/v1/status-updates', { method: 'HEAD' })).status).toBe(405)
  })
})
