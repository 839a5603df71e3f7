import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { total } from '../../local/scrape.ts'
import { cardToken } from '../../src/contract/card-token.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { insert, ownDatabase } from '../support/primary.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { type Progress, watchProgress } from '../support/progress.ts'
import { type Answer, type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

/** What only the primary knows is merged into MongoDB as the stream would have merged it. */
const { env, mongodbUri } = sharedServices()
const names = newRunNames('serve-fill')
const TOKEN_KEY = 'a key of tokens'
const NUMBER = '4111111111111111'
const settings = {
  ...{ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...names, CARD_TOKEN_KEY: TOKEN_KEY },
  ...{
    ENCRYPT_PATHS: 'response.session_data.license_plate_number',
    ENCRYPT_KEY: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  },
}
const TABLE = `CREATE TABLE pm_parking_event (
  session_id VARCHAR(64) NOT NULL, event_type TEXT, status VARCHAR(16), zone_id VARCHAR(32),
  license_plate_number VARCHAR(64), payment_method VARCHAR(64), updated_at TIMESTAMP(3) NULL, KEY (session_id))`

let db: Awaited<ReturnType<typeof ownDatabase>>
let processor: Processor
let side: ReadSide
let mongo: MongoClient
let progress: Progress
const documents = () => mongo.db(names.MONGODB_DATABASE).collection<CacheDocument>(names.MONGODB_COLLECTION)
const stored = (id: string) => documents().findOne({ _id: id })

beforeAll(async () => {
  db = await ownDatabase(TABLE)
  mongo = new MongoClient(mongodbUri)
  processor = await startProcessor(settings)
  side = await startReadSide({ ...settings, PRIMARY_MYSQL_URI: db.uri })
  progress = await watchProgress(env.KAFKA_BROKERS, names)
}, 120_000)

afterAll(async () => {
  await side?.stop()
  await processor?.stop()
  await db?.[Symbol.asyncDispose]()
  await mongo?.db(names.MONGODB_DATABASE).dropDatabase()
  await mongo?.close()
  await progress?.cleanUp()
  await progress?.[Symbol.asyncDispose]()
}, 60_000)

const NOW = Date.now()
const iso = (minutes: number) => new Date(NOW + 60_000 * minutes).toISOString()
const sqlTime = (minutes: number) => iso(minutes).replace('T', ' ').replace('Z', '')
const row = (id: string, minutes: number, more = {}) =>
  insert(db.admin, {
    ...{ session_id: id, event_type: 'parking_start', zone_id: '7', status: 'on-going' },
    ...{ updated_at: sqlTime(minutes), ...more },
  })
const send = (id: string, minutes: number) => {
  const session_data = { session_id: id }
  const value = { event_id: id, event_type: 'parking_stop', zone_id: '7', session_data, timestamp: iso(minutes) }
  return produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [{ partition: 0, key: id, value: JSON.stringify(value) }])
}
const erase = (id: string) => produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [{ partition: 0, key: id, value: null }])
const isStored = (id: string, is: (document: CacheDocument) => boolean = () => true) =>
  until(
    async () => {
      const document = await stored(id)
      return document !== null && is(document)
    },
    { timeoutMs: 20_000, what: `${id} is stored` },
  )
const shownAt = ({ body }: Answer) => body.cache?.observedAt

describe('a row and the event of the same id', () => {
  test('give the newer one, whichever comes first', async () => {
    await row('row-newer', -10)
    await send('row-newer', -20)
    const path = '/v1/events/row-newer'
    const [first] = await Promise.all([side.get(path), isStored('row-newer')])
    expect([200]).toContain(first.status)
    await row('row-older', -20)
    expect(shownAt(await side.get('/v1/events/row-older'))).toBe(iso(-20))
    await send('row-older', -10)
    const isNewer = async () => shownAt(await side.get('/v1/events/row-older')) === iso(-10)
    await until(isNewer, { timeoutMs: 10_000, what: 'the event is shown in the place of the row' })
    expect((await stored('row-older'))?.cache.source.topic).toBe(names.EVENTS_TOPICS)
  })

  test('give the newer one where they meet', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `meet-${i}`)
    await Promise.all(ids.map((id, i) => row(id, i % 2 === 0 ? -30 : -10)))
    const events = Promise.all(ids.map((id) => send(id, -20)))
    let isDone = false
    const asking = ids.map(async (id) => {
      let newest = ''
      while (!isDone) {
        const { status, body } = await side.get(`/v1/events/${id}`)
        expect(status).toBe(200)
        expect(body.cache.observedAt >= newest).toBe(true)
        newest = body.cache.observedAt
      }
    })
    await events
    await progress.caughtUp(20_000)
    isDone = true
    await Promise.all(asking)
    for (const [i, id] of ids.entries()) {
      const kept = (await stored(id))?.cache.observedAt.toISOString()
      // Where the event came first, the primary was not asked.
      expect(i % 2 === 0 ? [iso(-20)] : [iso(-20), iso(-10)]).toContain(kept)
      expect([id, shownAt(await side.get(`/v1/events/${id}`))]).toEqual([id, kept])
    }
  })
})

describe('what was invalidated', () => {
  test('is not shown from the primary, by no way, and not filled again', async () => {
    await row('erased', 5, { license_plate_number: 'SECRET1' }) // dated ahead: newer than the null value
    await send('erased', -5)
    await isStored('erased')
    await erase('erased')
    await isStored('erased', ({ cache }) => cache.kind === 'tombstone')
    for (let round = 0; round < 3; round++) {
      const [event, session] = [await side.get('/v1/events/erased'), await side.get('/v1/sessions/erased')]
      if (round > 0) expect([event.status, session.body.events ?? []]).toEqual([410, []])
      expect(JSON.stringify([event.body, session.body])).not.toContain('SECRET1')
    }
    expect((await stored('erased'))?.cache.kind).toBe('tombstone')
  })
})

describe('a row', () => {
  test('that is dated ahead does not stand above what comes now', async () => {
    await row('ahead', 600)
    const first = await side.get('/v1/events/ahead')
    expect(Date.parse(first.body.cache.observedAt)).toBeLessThanOrEqual(Date.now())
    await send('ahead', (Date.now() - NOW) / 60_000 + 0.01)
    const isNewer = async () => (await side.get('/v1/events/ahead')).body.response.event_type === 'parking_stop'
    await until(isNewer, { timeoutMs: 10_000, what: 'the event is shown' })
  })

  test('has its card numbers as tokens, and what is to be encrypted is, in MongoDB only', async () => {
    await row('secret', -5, { license_plate_number: 'ABC123', payment_method: `card ${NUMBER}` })
    await row('secret-2', -5, { license_plate_number: NUMBER })
    const { body } = await side.get('/v1/events/secret')
    const { session_data } = body.response
    expect(session_data).toMatchObject({
      license_plate_number: 'ABC123',
      payment_method: `card ${cardToken(TOKEN_KEY, NUMBER)}`,
    })
    const kept = JSON.stringify([
      await stored('secret'),
      await side.get('/v1/events/secret-2'),
      await stored('secret-2'),
    ])
    expect(kept).not.toContain(NUMBER)
    expect(JSON.stringify(await stored('secret'))).toMatch(/"license_plate_number":"enc:k1:/)
    expect(JSON.stringify(await stored('secret'))).not.toContain('ABC123')
    await side.kill9()
    side = await startReadSide({ ...settings, PRIMARY_MYSQL_URI: db.uri })
    expect((await side.get('/v1/events/secret')).body.response.session_data.license_plate_number).toBe('ABC123')
  })

  test('that is no event is left out, and counted', async () => {
    await row('rejected', -5, { event_type: 'x'.repeat(2_000) })
    expect((await side.get('/v1/events/rejected')).status).toBe(404)
    expect(total(await side.metrics(), 'pm_primary_rejected_rows_total')).toBe(1)
    expect(side.log()).toContain('is no event, and is left out')
  })

  test('is shown where MongoDB refuses it, and that is counted', async () => {
    await mongo.db(names.MONGODB_DATABASE).command({
      collMod: names.MONGODB_COLLECTION,
      validator: { 'response.zone_id': { $ne: 'refused' } },
    })
    await row('refused', -5, { zone_id: 'refused' })
    expect((await side.get('/v1/events/refused')).status).toBe(200)
    expect(await stored('refused')).toBeNull()
    expect(total(await side.metrics(), 'pm_fill_failures_total')).toBe(1)
  })
})
