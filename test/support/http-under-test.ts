import { afterAll, afterEach, beforeAll, expect } from '@jest/globals'
import { cardToken } from '../../src/contract/card-token.ts'
import { type Asked, ask, type RawAnswer } from './raw-http.ts'
import { type ReadSide, startReadSide } from './read-side.ts'
import { type Fields, type ReadStage, startReadStage } from './read-stage.ts'
import { until } from './services.ts'

const KEY = 'a key of tokens for http'
/** A card number, and its token as documents have it. */
export const NUMBER = '5555555555554444'
export const TOKEN = cardToken(KEY, NUMBER)
/** A card that is no number, and might become headers of its own. */
export const HEADER_CARD = 'ref"\r\nSet-Cookie: a=b\r\n; rel="prev"'

/** Ids that are something else to whoever does not take them as they are: each of an event, its session and its zone. */
export const ODD_IDS = [
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

export const path = (prefix: string, id: string) => `${prefix}/${encodeURIComponent(id)}`
export const JSON_TYPE = { 'content-type': 'application/json' }

export interface HttpUnderTest {
  readonly stage: ReadStage
  readonly side: ReadSide
  get(where: string, asked?: Asked): Promise<RawAnswer>
  /** Asks for the events of a card. */
  post(body: string, headers?: Record<string, string>): Promise<RawAnswer>
}

/**
 * A read side where nobody needs credentials, for the tests of the file that calls this at its top. It serves the events e1
 * and e2 of session s1 with a card number, e3 and e4 of session s3 with a card that is no number, and one of each odd id; two
 * records were sent that are none. After each test, its log has to be free of the card.
 */
export function httpUnderTest(): HttpUnderTest {
  let stage: ReadStage
  let side: ReadSide
  beforeAll(async () => {
    stage = await startReadStage('http', { CARD_TOKEN_KEY: KEY })
    side = await startReadSide({ ...stage.settings, LOG_LEVEL: 'debug' })
    await stage.send(
      parking('e1', 's1', 'parking_start', 1, { card: NUMBER, zone_id: '10001' }),
      parking('e2', 's1', 'payment_authorized', 2, { card: NUMBER, zone_id: '10001', status: 'authorized' }),
      parking('e3', 's3', 'parking_start', 3, { card: HEADER_CARD }),
      parking('e4', 's3', 'parking_extend', 4, { card: HEADER_CARD }),
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

  const get: HttpUnderTest['get'] = (where, asked) => ask(side.url, where, asked)
  return {
    get stage() {
      return stage
    },
    get side() {
      return side
    },
    get,
    post: (body, headers = JSON_TYPE) => get('/v1/events/query', { method: 'POST', headers, body }),
  }
}

/**
 * An event of a session, so many seconds after a minute ago. Not of the time to come: a tombstone, which has the time when it
 * is sent, erases only what is older.
 */
export function parking(id: string, session: string, type: string, seconds: number, more: Fields = {}): Fields {
  const at = (after: number) => new Date(Date.now() + 1_000 * (after - 60)).toISOString()
  return {
    ...{ event_id: id, event_type: type, timestamp: at(seconds), status: 'success', ...more },
    session_data: { session_id: session, end_time: at(3_600), license_plate: 'ABC123' },
  }
}
