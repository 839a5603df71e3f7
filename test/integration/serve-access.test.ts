import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { SignJWT } from 'jose'
import { cardToken } from '../../src/contract/card-token.ts'
import { SCOPES, type Scope } from '../../src/serve/access/access.ts'
import type { KeyEntry } from '../../src/serve/access/key-entry.ts'
import { makeKey } from '../../src/serve/access/make-key.ts'
import { openEventStream } from '../support/event-stream.ts'
import { type Asked, ask, type RawAnswer } from '../support/raw-http.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { type Fields, type ReadStage, startReadStage } from '../support/read-stage.ts'
import { runMain } from '../support/run-main.ts'
import { until } from '../support/services.ts'
import {
  AUDIENCE,
  ISSUER,
  type Jwks,
  jwtOf,
  newSigner,
  oddJwt,
  rightClaims,
  type Signer,
  startJwks,
  unsignedJwt,
} from '../unit/serve/access/issuer.ts'

/** Who may read what, tried on the program itself. What is tried has the names of the OWASP API Security Top 10 of 2023. */
const KEY = 'a key of tokens for access'
const NUMBER = '4111111111111111'
const TOKEN = cardToken(KEY, NUMBER)
const directory = mkdtempSync(join(tmpdir(), 'serve-access-'))
const keysFile = join(directory, 'keys.json')

const entries = new Map<string, KeyEntry>()
const secrets = new Map<string, string>()
function newKey(id: string, scopes: readonly Scope[], zones: string[] | null = null, expires: string | null = null) {
  const { key, entry } = makeKey(id, scopes, zones, expires)
  entries.set(id, entry)
  secrets.set(id, key)
}
const writeKeys = () => writeFileSync(keysFile, JSON.stringify({ keys: [...entries.values()] }), { mode: 0o600 })

newKey('all', SCOPES)
newKey('zone-a', SCOPES, ['A1'])
newKey('zone-b', SCOPES, ['B2'])
newKey('without-cards', ['events:read', 'status:read', 'metrics:read'])
newKey('events-and-cards', ['events:read', 'cards:read'])
newKey('status-and-cards', ['status:read', 'cards:read'])
for (const scope of SCOPES) newKey(scope.replace(':', '-'), [scope])
newKey('expired', SCOPES, null, '2020-01-01T00:00:00Z')
newKey('to-be-withdrawn', SCOPES)

let stage: ReadStage
let jwks: Jwks
let signer: Signer
let side: ReadSide
/** With a limit of requests. */
let limited: ReadSide
const LIMIT = 20

beforeAll(async () => {
  writeKeys()
  signer = await newSigner('ES256', 'first')
  jwks = await startJwks(signer.jwk)
  stage = await startReadStage('access', { CARD_TOKEN_KEY: KEY })
  const access = { AUTH_KEYS_FILE: keysFile, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS_URL: jwks.url }
  const settings = { ...stage.settings, ...access, LOG_LEVEL: 'debug' }
  ;[side, limited] = await Promise.all([
    startReadSide(settings),
    startReadSide({ ...settings, SERVE_RATE_LIMIT: String(LIMIT) }),
  ])
  await stage.send(
    parking('a1', 'sA', 'parking_start', 1),
    parking('b1', 'sB', 'parking_start', 2, 'B2'),
    parking('b2', 'sB', 'payment_authorized', 3, 'B2'),
    parking('b3', 'sB', 'parking_extend', 4, 'B2'),
    parking('a2', 'sA', 'payment_authorized', 5),
    parking('m1', 'sM', 'parking_start', 6),
    parking('m2', 'sM', 'parking_extend', 7, 'B2'),
  )
  await until(async () => (await by('all', '/v1/sessions/sM')).body.revision === 2, {
    timeoutMs: 30_000,
    what: 'the session that moved is on the board',
  })
}, 180_000)

afterAll(async () => {
  await Promise.all([side?.stop(), limited?.stop()])
  await stage?.[Symbol.asyncDispose]()
  await jwks?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
}, 60_000)

/** Whatever was tried: the log says nothing of it. */
afterEach(() => {
  for (const { log } of [side, limited]) {
    expect(log()).not.toMatch(/pmk_|eyJ|4111.?1111/)
    expect(log()).not.toContain(TOKEN)
  }
})

function parking(id: string, session: string, type: string, seconds: number, zone = 'A1'): Fields {
  const at = (after: number) => new Date(Date.now() + 1_000 * after).toISOString()
  return {
    ...{ event_id: id, event_type: type, card: NUMBER, zone_id: zone, timestamp: at(seconds) },
    ...{ status: type.startsWith('payment') ? 'authorized' : 'success', note: 'paid with ************1111' },
    session_data: { session_id: session, end_time: at(3_600), card_reference: 'ref-of-visa' },
    payload: { card: { brand: 'visa-of-tests', last4: '1111' }, pan: '4111-1111-1111-1111' },
  }
}

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` })
const keyOf = (id: string) => bearer(secrets.get(id) as string)
const by = (id: string, path: string, { headers, ...more }: Asked = {}) =>
  ask(side.url, path, { headers: { ...keyOf(id), ...headers }, ...more })
const query = (id: string, body: unknown) =>
  by(id, '/v1/events/query', {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  })
const ids = ({ body }: RawAnswer) => body.events.map(({ _id }: { _id: string }) => _id)
/** All of an answer that tells something. */
const told = ({ status, headers: { date: _, ...headers }, text }: RawAnswer) => ({ status, headers, text })
const isProblem = ({ headers }: RawAnswer) =>
  headers['content-type'] === 'application/problem+json; charset=utf-8' && headers['cache-control'] === 'no-store'

/** What a client of the one with a limit could have done since then: in each second, and in the ones begun. */
const mostSince = (began: number) => LIMIT * (1 + Math.ceil((performance.now() - began) / 1_000))

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
    const url = `${side.url}/v1/status-updates`
    const [own, other, session] = await Promise.all([
      openEventStream(`${url}?all=true`, { headers: keyOf('zone-a') }),
      openEventStream(`${url}?all=true&zone=B2`, { headers: keyOf('zone-a') }),
      openEventStream(`${url}?all=true&session=sB&session=sN`, { headers: keyOf('zone-a') }),
    ])
    await stage.send(parking('b4', 'sB', 'parking_extend', 20, 'B2'), parking('b5', 'sN', 'parking_start', 21, 'B2'))
    await stage.send(parking('a4', 'sA', 'parking_extend', 22))
    await own.has('status', 1)
    expect(own.data('status')).toMatchObject([{ event_id: 'a4', zone_id: 'A1' }])
    for (const stream of [other, session]) expect(stream.data('status')).toEqual([])
    for (const stream of [own, other, session]) stream.cut()
  })
})

describe('API2: broken authentication', () => {
  const bad: [string, () => Record<string, string | string[]>][] = [
    ['none', () => ({})],
    ['an unknown key', () => bearer(makeKey('x', SCOPES, null, null).key)],
    ['an expired key', () => keyOf('expired')],
    ['a key with more behind it', () => bearer(`${secrets.get('all')}x`)],
    ['a key without its end', () => bearer((secrets.get('all') as string).slice(0, -1))],
    ['the digest of a key', () => bearer(entries.get('all')?.sha256 as string)],
    ['another scheme', () => ({ authorization: `Basic ${secrets.get('all')}` })],
    ['no scheme', () => ({ authorization: secrets.get('all') as string })],
    ['both headers', () => ({ ...keyOf('all'), 'x-api-key': secrets.get('all') as string })],
    ['two keys', () => ({ 'x-api-key': [secrets.get('all') as string, secrets.get('all') as string] })],
    ['an empty one', () => ({ authorization: '' })],
    ['a very long one', () => bearer('x'.repeat(9_000))],
    ['a prototype', () => bearer('__proto__')],
  ]
  test.each(bad)('%s is refused', async (_, headers) => {
    for (const path of ['/v1/events/a1', '/v1/zones', '/v1/status-updates', '/metrics']) {
      const answer = await ask(side.url, path, { headers: headers() })
      expect([answer.status, answer.body.type]).toEqual([401, '/problems/unauthenticated'])
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="pm-parking-events"/)
      expect(isProblem(answer)).toBe(true)
      expect(answer.text).not.toContain('pmk_x')
    }
  })

  test('a key in the address is none', async () => {
    const key = secrets.get('all')
    expect((await ask(side.url, `/v1/zones?api_key=${key}`)).status).toBe(401)
    expect((await by('all', `/v1/zones?access_token=${key}`)).status).toBe(400)
  })

  test('a good key goes in either header', async () => {
    expect((await by('all', '/v1/events/a1')).status).toBe(200)
    const key = secrets.get('all') as string
    expect((await ask(side.url, '/v1/events/a1', { headers: { 'x-api-key': key } })).status).toBe(200)
    expect((await ask(side.url, '/v1/events/a1', { headers: { authorization: `bearer ${key}` } })).status).toBe(200)
  })

  test('a key that is withdrawn is refused within seconds, and a new one is taken', async () => {
    const made = await runMain([
      ...['serve', '--make-key', 'made-by-hand', '--scopes', 'status:read', '--zones', 'A1', '--expires', '2099-01-01'],
    ])
    const { key, entry } = JSON.parse(made.stdout)
    expect((await by('to-be-withdrawn', '/v1/zones')).status).toBe(200)
    entries.delete('to-be-withdrawn')
    entries.set('made-by-hand', entry)
    secrets.set('made-by-hand', key)
    writeKeys()
    await until(async () => (await by('to-be-withdrawn', '/v1/zones')).status === 401, {
      timeoutMs: 10_000,
      what: '401',
    })
    expect((await by('made-by-hand', '/v1/zones')).body.zones).toHaveLength(1)
    expect((await by('made-by-hand', '/v1/events/a1')).status).toBe(403)
  })

  const seconds = (after: number) => Math.floor(Date.now() / 1_000) + after
  const forged: [string, () => Promise<string> | string][] = [
    ['unsigned', () => unsignedJwt({ alg: 'none' })],
    ['unsigned, in other letters', () => unsignedJwt({ alg: 'nOnE', kid: 'first' })],
    [
      'signed with the public key as a secret',
      () =>
        new SignJWT(rightClaims())
          .setProtectedHeader({ alg: 'HS256', kid: 'first' })
          .sign(new TextEncoder().encode(JSON.stringify(signer.jwk))),
    ],
    ["signed with another key of the issuer's name", async () => jwtOf(await newSigner('ES256', 'first'))],
    [
      'signed with a key that it brings along',
      async () => {
        const own = await newSigner('ES256', 'first')
        return jwtOf(own, {}, { jwk: own.jwk })
      },
    ],
    [
      'signed with a key that it says where to find',
      async () => {
        const own = await newSigner('ES256', 'own')
        return jwtOf(own, {}, { jku: 'http://169.254.169.254/jwks.json', x5u: 'http://169.254.169.254/' })
      },
    ],
    ['of an unknown key', async () => jwtOf(await newSigner('ES256', '../../dev/null'))],
    ['with extensions', () => oddJwt(signer, { alg: 'ES256', kid: 'first', crit: ['exp'], exp: 1 })],
    ['expired', () => jwtOf(signer, { exp: seconds(-120) })],
    ['not good yet', () => jwtOf(signer, { nbf: seconds(120) })],
    ['good for ever', () => jwtOf(signer, { exp: undefined })],
    ['of another issuer', () => jwtOf(signer, { iss: 'https://login.example.com' })],
    ['for somebody else', () => jwtOf(signer, { aud: 'billing' })],
    ['for nobody', () => jwtOf(signer, { aud: undefined })],
    ['of nobody', () => jwtOf(signer, { sub: undefined })],
    ['with zones that are no list', () => jwtOf(signer, { zones: '*' })],
    [
      'with other claims than were signed',
      async () => {
        const [head, , signature] = (await jwtOf(signer, { zones: ['A1'] })).split('.')
        const claims = Buffer.from(JSON.stringify({ ...rightClaims(), scope: 'metrics:read' })).toString('base64url')
        return `${head}.${claims}.${signature}`
      },
    ],
    ['cut', async () => (await jwtOf(signer)).slice(0, -10)],
  ]
  test.each(forged)('a JWT that is %s is refused', async (_, make) => {
    const answer = await ask(side.url, '/v1/events/a1', { headers: bearer(await make()) })
    expect([answer.status, isProblem(answer)]).toEqual([401, true])
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(answer.text).not.toMatch(/eyJ|169\.254|dev\/null/)
  })

  test('a JWT is good for its scopes and zones', async () => {
    const headers = bearer(await jwtOf(signer, { zones: ['A1'] }))
    expect((await ask(side.url, '/v1/events/a1', { headers })).status).toBe(200)
    expect((await ask(side.url, '/v1/events/b1', { headers })).status).toBe(404)
    expect((await ask(side.url, '/v1/zones', { headers })).status).toBe(403)
    const nowhere = bearer(await jwtOf(signer, { zones: [] }))
    expect((await ask(side.url, '/v1/events/a1', { headers: nowhere })).status).toBe(404)
  })

  test('who tries many JWTs is stopped, and does not stop who has a key', async () => {
    const own = await newSigner('ES256', 'first')
    const jwts = await Promise.all(Array.from({ length: 6 * LIMIT }, (_, i) => jwtOf(own, { sub: `guess-${i}` })))
    const began = performance.now()
    const answers = await Promise.all(jwts.map((jwt) => ask(limited.url, '/v1/events/a1', { headers: bearer(jwt) })))
    const refused = answers.filter(({ status }) => status === 401)
    expect(refused.length).toBeLessThanOrEqual(mostSince(began))
    for (const answer of answers.filter(({ status }) => status !== 401)) {
      expect([answer.status, answer.headers['retry-after'], isProblem(answer)]).toEqual([429, '1', true])
    }
    expect((await ask(limited.url, '/v1/events/a1', { headers: keyOf('all') })).status).toBe(200)
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
    const stream = await openEventStream(`${side.url}/v1/status-updates?all=true`, { headers: keyOf('without-cards') })
    await stage.send(parking('a5', 'sA', 'parking_extend', 30))
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
    expect((await ask(side.url, path)).status).toBe(needs.length === 0 ? 200 : 401)
  })

  test('a query needs events:read and cards:read', async () => {
    for (const id of keys) {
      const { status } = await query(id, { card: NUMBER })
      expect([id, status]).toEqual([id, mayAsk(id, ['events:read', 'cards:read']) ? 200 : 403])
    }
  })

  test('status updates need status:read', async () => {
    for (const id of keys) {
      const stream = await openEventStream(`${side.url}/v1/status-updates`, { headers: keyOf(id) })
      expect([id, stream.status]).toEqual([id, mayAsk(id, ['status:read']) ? 200 : 403])
      stream.cut()
    }
    expect((await by('all', '/v1/status-updates', { method: 'HEAD' })).status).toBe(405)
  })
})

describe('API4: unrestricted resource consumption', () => {
  test('each client has its own number of requests, whatever they are', async () => {
    const paths = ['/v1/events/a1', '/v1/zones/A1', '/v1/events/none', '/v1/sessions?limit=0']
    const began = performance.now()
    const asked = Array.from({ length: 5 * LIMIT }, (_, i) =>
      ask(limited.url, paths[i % paths.length] as string, { headers: keyOf('status-and-cards') }),
    )
    const answers = await Promise.all(asked)
    const tooMany = answers.filter(({ status }) => status === 429)
    expect(asked.length - tooMany.length).toBeLessThanOrEqual(mostSince(began))
    for (const answer of tooMany) {
      expect(answer.body).toMatchObject({ type: '/problems/too-many-requests', status: 429 })
      expect(answer.headers).toMatchObject({ 'retry-after': '1', 'x-ratelimit-limit': String(LIMIT) })
      expect(answer.headers['x-ratelimit-remaining']).toBe('0')
      expect(isProblem(answer)).toBe(true)
    }
    const other = await ask(limited.url, '/v1/events/a1', { headers: keyOf('events-and-cards') })
    expect([other.status, Number(other.headers['x-ratelimit-remaining']) >= 0]).toEqual([200, true])
  })

  test('who needs no credentials is counted by address, and the machine itself is not', async () => {
    const all = (path: string) => Promise.all(Array.from({ length: 5 * LIMIT }, () => ask(limited.url, path)))
    const statuses = new Set((await all('/nowhere')).map(({ status }) => status))
    expect(statuses).toEqual(new Set([404, 429]))
    expect(new Set((await all('/readyz')).map(({ status }) => status))).toEqual(new Set([200]))
  })
})

describe('at the start', () => {
  const failing = (env: Record<string, string>) =>
    startReadSide({ ...stage.settings, ...env }).then(
      async (started) => {
        await started.kill9()
        return 'it has started'
      },
      (error: Error) => error.message,
    )

  test('a bad keys file ends it, and is told', async () => {
    const path = join(directory, 'bad.json')
    writeFileSync(path, '{"keys":[{"id":"a","scopes":["everything"]}]}', { mode: 0o600 })
    const message = await failing({ AUTH_KEYS_FILE: path })
    expect(message).toContain('The read side ended at its start')
    expect(message).toContain('AUTH_KEYS_FILE')
    expect(message).toContain('lacks \\"sha256\\"')
    expect(await failing({ AUTH_KEYS_FILE: join(directory, 'none.json') })).toContain('cannot be read (ENOENT)')
  })

  test('without credentials it listens to this machine only; with them, to all', async () => {
    expect(await failing({ SERVE_HOST: '0.0.0.0' })).toMatch(/SERVE_HOST is 0\.0\.0\.0.*nothing says who may read/)
    await using open = await startReadSide({ ...stage.settings, SERVE_HOST: '0.0.0.0', AUTH_KEYS_FILE: keysFile })
    const headers = { ...keyOf('all'), host: 'parking.example.com' }
    expect((await ask(open.url, '/v1/events/a1', { headers })).status).toBe(200)
  })

  test('a port that is taken is told', async () => {
    const { port } = new URL(side.url)
    expect(await failing({ SERVE_PORT: port })).toContain(`SERVE_PORT ${port}: the port is taken`)
  })
})
