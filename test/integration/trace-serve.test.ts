import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { type CollectorUnderTest, collectorUnderTest } from '../support/otlp-collector.ts'
import { insert, ownDatabase } from '../support/primary.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices } from '../support/services.ts'
import { KINDS, type Span } from '../support/spans.ts'

/** Requests to the built read side, and what a real collector then has. */
const { env } = sharedServices()
const names = newRunNames('trace-serve')
const SERVICE = names.KAFKA_GROUP_ID
const TABLE = `CREATE TABLE pm_parking_event (
  session_id VARCHAR(64) NOT NULL, event_type VARCHAR(32), status VARCHAR(16), zone_id VARCHAR(32), updated_at TIMESTAMP(3) NULL)`
const [IN_MONGODB, IN_MYSQL] = ['id-of-mongodb', 'id-of-mysql']
let collector: CollectorUnderTest
let db: Awaited<ReturnType<typeof ownDatabase>>
let processor: Processor
let side: ReadSide

beforeAll(async () => {
  collector = await collectorUnderTest()
  db = await ownDatabase(TABLE)
  await insert(db.admin, {
    ...{
      session_id: IN_MYSQL,
      event_type: 'parking_start',
      status: 'on-going',
      zone_id: '953987',
      updated_at: new Date(),
    },
  })
  const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: env.MONGODB_URI, ...names }
  processor = await startProcessor(settings)
  const value = JSON.stringify({ event_id: IN_MONGODB, event_type: 'parking_start', status: 'on-going' })
  await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, [{ partition: 0, key: IN_MONGODB, value }])
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.caughtUp(60_000)
  side = await startReadSide({
    ...{ ...settings, PRIMARY_MYSQL_URI: db.uri, OTEL_EXPORTER_OTLP_ENDPOINT: collector.address },
    ...{ OTEL_SERVICE_NAME: SERVICE, OTEL_TRACES_SAMPLER_ARG: '0' },
  })
}, 900_000)
afterAll(async () => {
  await side?.stop()
  await processor?.stop()
  await db?.[Symbol.asyncDispose]()
  await collector?.[Symbol.asyncDispose]()
  await using mongo = new MongoClient(env.MONGODB_URI)
  await mongo.db(names.MONGODB_DATABASE).dropDatabase()
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
}, 60_000)

const [TRACE, CALLER] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
const contextOf = (flags: string) => ({ traceparent: `00-${TRACE}-${CALLER}-${flags}` })

/** The request of a route, and what it asked. */
const requestOf = (route: string): Promise<Span[]> =>
  collector.until(`there is a span of ${route}`, (spans) => {
    const request = spans.find(({ name, service }) => name === `GET ${route}` && service === SERVICE)
    return request && [request, ...spans.filter(({ parentSpanId }) => parentSpanId === request.spanId)]
  })

test('a request goes on with the trace of its client, and what MongoDB and MySQL are asked is a part of it', async () => {
  expect((await side.get(`/v1/events/${IN_MONGODB}`, contextOf('01'))).status).toBe(200)
  expect((await side.get(`/v1/sessions/${IN_MYSQL}`, contextOf('01'))).status).toBe(200)

  const [event, ...asked] = await requestOf('/v1/events/:id')
  expect(event).toMatchObject({ kind: KINDS.server, traceId: TRACE, parentSpanId: CALLER, status: 0 })
  expect(event?.attributes).toEqual({
    'http.request.method': 'GET',
    'http.route': '/v1/events/:id',
    'url.scheme': 'http',
    'http.response.status_code': 200,
  })
  expect(asked.map(({ name }) => name)).toEqual([`find ${names.MONGODB_COLLECTION}`])

  const [, ...ofSession] = await requestOf('/v1/sessions/:session_id')
  const mysql = ofSession.find(({ attributes }) => attributes['db.system.name'] === 'mysql')
  expect(mysql).toMatchObject({ name: 'SELECT pm_parking_event', kind: KINDS.client })
  expect(ofSession.some(({ name }) => name === `find ${names.MONGODB_COLLECTION}`)).toBe(true)
  const text = await collector.text()
  for (const id of [IN_MONGODB, IN_MYSQL, '953987']) expect(text).not.toContain(id)
}, 60_000)

test('a request is not traced where its client does not, nor one for health or for a stream of updates', async () => {
  await side.get('/v1/zones', contextOf('00'))
  await side.get('/v1/zones')
  await side.get('/healthz', contextOf('01'))
  const stream = await fetch(`${side.url}/v1/status-updates`, { headers: contextOf('01') })
  await stream.body?.cancel()
  // What comes after them is there.
  await side.get('/v1/cache', contextOf('01'))
  await requestOf('/v1/cache')
  const routes = (await collector.spans()).filter(({ kind }) => kind === KINDS.server).map(({ name }) => name)
  expect(routes).not.toContain('GET /v1/zones')
  expect(routes.filter((name) => /healthz|status-updates/.test(name))).toEqual([])
}, 60_000)
