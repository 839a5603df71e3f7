import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Check } from '../../../../src/serve/access/caller.ts'
import { createJwts } from '../../../../src/serve/access/jwt.ts'
import { AUDIENCE, ISSUER, type Jwks, jwtOf, newClock, newLog, newSigner, type Signer, startJwks } from './issuer.ts'

const MINUTE = 60_000

let signer: Signer
let newer: Signer
let jwks: Jwks
let clock: ReturnType<typeof newClock>
let logged: ReturnType<typeof newLog>

beforeAll(async () => {
  signer = await newSigner('ES256', 'first')
  newer = await newSigner('ES256', 'second')
})
beforeEach(async () => {
  jwks = await startJwks(signer.jwk)
  clock = newClock()
  logged = newLog()
})
afterEach(async () => {
  await jwks[Symbol.asyncDispose]()
})

const start = (url = jwks.url): Check =>
  createJwts({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: url }, logged.log, clock.now)

/** A good JWT that was not seen before. */
let made = 0
const fresh = (by = signer) => jwtOf(by, { sub: `caller-${made++}`, exp: Math.floor(clock.now() / 1_000) + 36_000 })

const GOOD = { id: expect.stringMatching(/^jwt:caller-/) }
const UNAVAILABLE = { refused: 'unavailable', detail: expect.stringContaining('try again') }

/** Asks until something is so, as a client that tries again would. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  // Less than the ten seconds after which an unknown key would be asked for anyway.
  const deadline = performance.now() + 5_000
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it did not come to be so')
    await new Promise((done) => setImmediate(done))
  }
}

describe('the keys of an issuer', () => {
  test('are fetched at start, and once for many JWTs', async () => {
    const check = start()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => fresh()))
    for (const answer of await Promise.all(tokens.map(check))) expect(answer).toMatchObject(GOOD)
    expect(jwks.asked()).toBe(1)
  })

  test.each<[string, Parameters<Jwks['answer']>[0]]>([
    ['an error', (response) => response.writeHead(500).end()],
    ['a redirect', (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()],
    ['no JSON', (response) => response.end('<html>')],
    ['JSON without keys', (response) => response.end('{"keys":"none"}')],
    ['an end of the connection', (response) => response.destroy()],
    ['silence', () => {}],
  ])('cannot be had where the answer is %s', async (_, how) => {
    jwks.answer(how)
    const check = start()
    expect(await check(await fresh())).toEqual(UNAVAILABLE)
    expect(logged.lines).toEqual([
      expect.objectContaining({ level: 'warn', url: jwks.url, reason: expect.any(String) }),
    ])
  })

  test('cannot be had where nobody listens', async () => {
    await jwks[Symbol.asyncDispose]()
    expect(await start()(await fresh())).toEqual(UNAVAILABLE)
    expect(logged.lines).toMatchObject([{ reason: expect.stringContaining('ECONNREFUSED') }])
    jwks = await startJwks()
  })

  test('that cannot be had are not asked for again with every request, but soon', async () => {
    jwks.answer((response) => response.writeHead(503).end())
    const check = start()
    for (let i = 0; i < 20; i++) expect(await check(await fresh())).toEqual(UNAVAILABLE)
    expect(jwks.asked()).toBe(1)
    expect(logged.lines).toHaveLength(1)
    jwks.publish(signer.jwk)
    clock.pass(5_001)
    expect(await check(await fresh())).toMatchObject(GOOD)
  })

  test('stay good for a while when the issuer is away, and are had again behind the requests', async () => {
    const check = start()
    expect(await check(await fresh())).toMatchObject(GOOD)
    jwks.answer((response) => response.writeHead(503).end())
    clock.pass(11 * MINUTE)
    expect(await check(await fresh())).toMatchObject(GOOD)
    await until(async () => logged.lines.length > 0)
    jwks.publish(newer.jwk)
    clock.pass(5_001)
    expect(await check(await fresh())).toMatchObject(GOOD)
    await until(async () => 'id' in (await check(await fresh(newer))))
  })

  test('that were withdrawn are no longer good after a quarter of an hour', async () => {
    const check = start()
    const token = await fresh()
    expect(await check(token)).toMatchObject(GOOD)
    jwks.publish(newer.jwk)
    clock.pass(10 * MINUTE + 1)
    // Asks for the keys, and is answered by those of before.
    await check(await fresh())
    await until(async () => 'id' in (await check(await fresh(newer))))
    clock.pass(5 * MINUTE)
    expect(await check(token)).toEqual({ refused: 'invalid', detail: expect.stringContaining('does not publish') })
  })

  test('nobody has seen are not asked for more often than every ten seconds', async () => {
    const check = start()
    expect(await check(await fresh())).toMatchObject(GOOD)
    for (let i = 0; i < 20; i++) {
      expect(await check(await jwtOf(newer, {}, { kid: `made-up-${i}` }))).toMatchObject({ refused: 'invalid' })
    }
    expect(jwks.asked()).toBe(1)
  })
})
