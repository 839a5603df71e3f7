import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { SignJWT } from 'jose'
import { SCOPES } from '../../src/serve/access/access.ts'
import { makeKey } from '../../src/serve/access/make-key.ts'
import { bearer } from '../support/access-keys.ts'
import { accessUnderTest, isProblem } from '../support/access-under-test.ts'
import { ask } from '../support/raw-http.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { runMain } from '../support/run-main.ts'
import { until } from '../support/services.ts'
import { jwtOf, newSigner, oddJwt, rightClaims, unsignedJwt } from '../unit/serve/access/issuer.ts'

/** Who is let in, and how often, tried on the program itself. What is tried has the names of the OWASP API Top 10 of 2023. */
const access = accessUnderTest()
const { by } = access
const { entries, keyOf, secrets, writeKeys } = access.keys

/** With a limit of requests. */
let limited: ReadSide
const LIMIT = 20
beforeAll(async () => {
  limited = await access.startAnother({ SERVE_RATE_LIMIT: String(LIMIT) })
}, 120_000)

/** What a client of the one with a limit could have done since then: in each second, and in the ones begun. */
const mostSince = (began: number) => LIMIT * (1 + Math.ceil((performance.now() - began) / 1_000))

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
      const answer = await ask(access.side.url, path, { headers: headers() })
      expect([answer.status, answer.body.type]).toEqual([401, '/problems/unauthenticated'])
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="pm-parking-events"/)
      expect(isProblem(answer)).toBe(true)
      expect(answer.text).not.toContain('pmk_x')
    }
  })

  test('a key in the address is none', async () => {
    const key = secrets.get('all')
    expect((await ask(access.side.url, `/v1/zones?api_key=${key}`)).status).toBe(401)
    expect((await by('all', `/v1/zones?access_token=${key}`)).status).toBe(400)
  })

  test('a good key goes in either header', async () => {
    expect((await by('all', '/v1/events/a1')).status).toBe(200)
    const key = secrets.get('all') as string
    expect((await ask(access.side.url, '/v1/events/a1', { headers: { 'x-api-key': key } })).status).toBe(200)
    expect((await ask(access.side.url, '/v1/events/a1', { headers: { authorization: `bearer ${key}` } })).status).toBe(
      200,
    )
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
          .sign(new TextEncoder().encode(JSON.stringify(access.signer.jwk))),
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
    ['with extensions', () => oddJwt(access.signer, { alg: 'ES256', kid: 'first', crit: ['exp'], exp: 1 })],
    ['expired', () => jwtOf(access.signer, { exp: seconds(-120) })],
    ['not good yet', () => jwtOf(access.signer, { nbf: seconds(120) })],
    ['good for ever', () => jwtOf(access.signer, { exp: undefined })],
    ['of another issuer', () => jwtOf(access.signer, { iss: 'https://login.example.com' })],
    ['for somebody else', () => jwtOf(access.signer, { aud: 'billing' })],
    ['for nobody', () => jwtOf(access.signer, { aud: undefined })],
    ['of nobody', () => jwtOf(access.signer, { sub: undefined })],
    ['with zones that are no list', () => jwtOf(access.signer, { zones: '*' })],
    [
      'with other claims than were signed',
      async () => {
        const [head, , signature] = (await jwtOf(access.signer, { zones: ['A1'] })).split('.')
        const claims = Buffer.from(JSON.stringify({ ...rightClaims(), scope: 'metrics:read' })).toString('base64url')
        return `${head}.${claims}.${signature}`
      },
    ],
    ['cut', async () => (await jwtOf(access.signer)).slice(0, -10)],
  ]
  test.each(forged)('a JWT that is %s is refused', async (_, make) => {
    const answer = await ask(access.side.url, '/v1/events/a1', { headers: bearer(await make()) })
    expect([answer.status, isProblem(answer)]).toEqual([401, true])
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(answer.text).not.toMatch(/eyJ|169\.254|dev\/null/)
  })

  test('a JWT is good for its scopes and zones', async () => {
    const headers = bearer(await jwtOf(access.signer, { zones: ['A1'] }))
    expect((await ask(access.side.url, '/v1/events/a1', { headers })).status).toBe(200)
    expect((await ask(access.side.url, '/v1/events/b1', { headers })).status).toBe(404)
    expect((await ask(access.side.url, '/v1/zones', { headers })).status).toBe(403)
    const nowhere = bearer(await jwtOf(access.signer, { zones: [] }))
    expect((await ask(access.side.url, '/v1/events/a1', { headers: nowhere })).status).toBe(404)
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
    startReadSide({ ...access.stage.settings, ...env }).then(
      async (started) => {
        await started.kill9()
        return 'it has started'
      },
      (error: Error) => error.message,
    )

  test('a bad keys file ends it, and is told', async () => {
    const path = join(access.keys.directory, 'bad.json')
    writeFileSync(path, '{"keys":[{"id":"a","scopes":["everything"]}]}', { mode: 0o600 })
    const message = await failing({ AUTH_KEYS_FILE: path })
    expect(message).toContain('The read side ended at its start')
    expect(message).toContain('AUTH_KEYS_FILE')
    expect(message).toContain('lacks \\"sha256\\"')
    expect(await failing({ AUTH_KEYS_FILE: join(access.keys.directory, 'none.json') })).toContain(
      'cannot be read (ENOENT)',
    )
  })

  test('without credentials it listens to this machine only; with them, to all', async () => {
    expect(await failing({ SERVE_HOST: '0.0.0.0' })).toMatch(/SERVE_HOST is 0\.0\.0\.0.*nothing says who may read/)
    await using open = await startReadSide({
      ...access.stage.settings,
      SERVE_HOST: '0.0.0.0',
      AUTH_KEYS_FILE: access.keys.file,
    })
    const headers = { ...keyOf('all'), host: 'parking.example.com' }
    expect((await ask(open.url, '/v1/events/a1', { headers })).status).toBe(200)
  })

  test('a port that is taken is told', async () => {
    const { port } = new URL(access.side.url)
    expect(await failing({ SERVE_PORT: port })).toContain(`SERVE_PORT ${port}: the port is taken`)
  })
})
