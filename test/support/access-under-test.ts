import { afterAll, afterEach, beforeAll, expect } from '@jest/globals'
import { cardToken } from '../../src/contract/card-token.ts'
import { AUDIENCE, ISSUER, type Jwks, newSigner, type Signer, startJwks } from '../unit/serve/access/issuer.ts'
import { type AccessKeys, createAccessKeys } from './access-keys.ts'
import { type Asked, ask, type RawAnswer } from './raw-http.ts'
import { type ReadSide, startReadSide } from './read-side.ts'
import { type Fields, type ReadStage, startReadStage } from './read-stage.ts'
import { until } from './services.ts'

const KEY = 'a key of tokens for access'
/** The card of all events, and its token as documents have it. */
export const NUMBER = '4111111111111111'
export const TOKEN = cardToken(KEY, NUMBER)

export interface AccessUnderTest {
  readonly keys: AccessKeys
  readonly stage: ReadStage
  readonly side: ReadSide
  /** Whose JWTs are taken. */
  readonly signer: Signer
  /** Starts one more read side, with these settings beside the first one's. It ends with the tests; its log is checked too. */
  startAnother(more: Record<string, string>): Promise<ReadSide>
  /** Asks with the key of this id. */
  by(id: string, path: string, asked?: Asked): Promise<RawAnswer>
  /** Asks for the events of a card. */
  query(id: string, body: unknown): Promise<RawAnswer>
}

/**
 * A read side that takes keys and JWTs, for the tests of the file that calls this at its top. It serves session sA in zone
 * A1, sB in B2, and sM, which moved from A1 to B2. After each test, its log has to be free of credentials and of the card.
 */
export function accessUnderTest(): AccessUnderTest {
  const keys = createAccessKeys()
  const sides: ReadSide[] = []
  let stage: ReadStage
  let jwks: Jwks
  let signer: Signer
  let side: ReadSide

  const startAnother: AccessUnderTest['startAnother'] = async (more) => {
    const access = { AUTH_KEYS_FILE: keys.file, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS_URL: jwks.url }
    const another = await startReadSide({ ...stage.settings, ...access, LOG_LEVEL: 'debug', ...more })
    sides.push(another)
    return another
  }
  const by: AccessUnderTest['by'] = (id, path, { headers, ...more } = {}) =>
    ask(side.url, path, { headers: { ...keys.keyOf(id), ...headers }, ...more })

  beforeAll(async () => {
    keys.writeKeys()
    signer = await newSigner('ES256', 'first')
    jwks = await startJwks(signer.jwk)
    stage = await startReadStage('access', { CARD_TOKEN_KEY: KEY })
    side = await startAnother({})
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
    await Promise.all(sides.map((one) => one.stop()))
    await stage?.[Symbol.asyncDispose]()
    await jwks?.[Symbol.asyncDispose]()
    keys[Symbol.dispose]()
  }, 60_000)

  /** Whatever was tried: the log says nothing of it. */
  afterEach(() => {
    for (const { log } of sides) {
      expect(log()).not.toMatch(/pmk_|eyJ|4111.?1111/)
      expect(log()).not.toContain(TOKEN)
    }
  })

  return {
    get stage() {
      return stage
    },
    get side() {
      return side
    },
    get signer() {
      return signer
    },
    ...{ keys, startAnother, by },
    query: (id, body) =>
      by(id, '/v1/events/query', {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      }),
  }
}

/** An event of a session, so many seconds from now, with the card wherever a source might write it. */
export function parking(id: string, session: string, type: string, seconds: number, zone = 'A1'): Fields {
  const at = (after: number) => new Date(Date.now() + 1_000 * after).toISOString()
  return {
    ...{ event_id: id, event_type: type, card: NUMBER, zone_id: zone, timestamp: at(seconds) },
    ...{ status: type.startsWith('payment') ? 'authorized' : 'success', note: 'paid with ************1111' },
    session_data: { session_id: session, end_time: at(3_600), card_reference: 'ref-of-visa' },
    payload: { card: { brand: 'visa-of-tests', last4: '1111' }, pan: '4111-1111-1111-1111' },
  }
}

/** It is an error as all are, which nobody keeps. */
export const isProblem = ({ headers }: RawAnswer) =>
  headers['content-type'] === 'application/problem+json; charset=utf-8' && headers['cache-control'] === 'no-store'
