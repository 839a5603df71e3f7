import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import { MongoClient } from 'mongodb'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import type { PartitionMessage } from '../../src/stream/send.ts'
import { type CollectorUnderTest, collectorUnderTest } from '../support/otlp-collector.ts'
import { blocksOf, runBlocks, Terminal } from '../support/page-commands.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { type Progress, watchProgress } from '../support/progress.ts'
import { newRunNames, type RunNames } from '../support/run-names.ts'
import { sharedServices } from '../support/services.ts'
import { KINDS, type Span } from '../support/spans.ts'

/** Records with trace contexts, through the built processor, and what a real collector then has. */
const { env } = sharedServices()
const PATIENCE_MS = 60_000
const CARD = '4111111111111111'
let collector: CollectorUnderTest
let names: RunNames
let processors: Processor[]
let progress: Progress

beforeAll(async () => {
  collector = await collectorUnderTest()
}, 900_000)
afterAll(async () => collector?.[Symbol.asyncDispose]())
beforeEach(async () => {
  names = newRunNames('trace')
  processors = []
  progress = await watchProgress(env.KAFKA_BROKERS, names)
})
afterEach(async () => {
  for (const processor of processors) await processor[Symbol.asyncDispose]()
  await progress.cleanUp()
  await progress[Symbol.asyncDispose]()
  await using mongo = new MongoClient(env.MONGODB_URI)
  await mongo.db(names.MONGODB_DATABASE).dropDatabase()
}, 60_000)

async function start(settings: Record<string, string> = {}): Promise<Processor> {
  const processor = await startProcessor({
    ...{ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: env.MONGODB_URI, ...names },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.address, OTEL_SERVICE_NAME: names.KAFKA_GROUP_ID },
    ...{ OTEL_TRACES_SAMPLER_ARG: '0', ...settings },
  })
  processors.push(processor)
  return processor
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex').replace(/\d/g, 'a')
const newContext = (flags = '01') => `00-${hex(16)}-${hex(8)}-${flags}`
const linkOf = (context: string) => context.slice(3, 52)

interface Sent {
  id: string
  headers?: Record<string, string>
  value?: string
}

const SECRETS = { session: 'SESSION-IN-NO-SPAN', zone: '953987' }

async function send(...records: Sent[]): Promise<void> {
  const messages = records.map(({ id, headers = {}, value }): PartitionMessage => {
    const event = {
      ...{ event_id: id, event_type: 'parking_start', card: CARD, zone_id: SECRETS.zone, status: 'on-going' },
      ...{ session_data: { session_id: `${SECRETS.session}-${id}` }, timestamp: new Date().toISOString() },
    }
    return { partition: 0, key: id, value: value ?? JSON.stringify(event), headers }
  })
  await produce(env.KAFKA_BROKERS, names.EVENTS_TOPICS, messages)
  await progress.caughtUp(PATIENCE_MS)
}

async function read(topic: string): Promise<KafkaMessage[]> {
  const all: KafkaMessage[] = []
  const kafka = quietKafka(env.KAFKA_BROKERS, 'trace-test')
  await readToEnd({ ...{ kafka, topic }, onMessages: (_, messages) => void all.push(...messages) })
  return all
}

/** `traceparent` of each update, by event id. */
async function contextsOfUpdates(): Promise<Record<string, string | undefined>> {
  const updates = await read(names.STATUS_TOPIC)
  return Object.fromEntries(
    updates.map(({ value, headers }) => [JSON.parse(String(value)).event_id, headers?.traceparent?.toString()]),
  )
}

const ours = (spans: Span[]) => spans.filter(({ service }) => service === names.KAFKA_GROUP_ID)
const named = (spans: Span[], name: string) => ours(spans).filter((span) => span.name === name)
/** The whole trace of the one span of a name, once it has come, with its parts. */
async function traceOf(name: string, parts: string[]): Promise<[Span, ...Span[]]> {
  return collector.until(`there is "${name}" with ${parts}`, (spans) => {
    const [root] = named(spans, name)
    const trace = root && ours(spans).filter(({ traceId }) => traceId === root.traceId)
    if (!root || !trace || !parts.every((part) => trace.some((span) => span.name === part))) return undefined
    return [root, ...trace.filter((span) => span !== root)]
  })
}

describe('the trace of a record', () => {
  test.each([
    ['in one process', ['ingest,status']],
    ['in two', ['ingest', 'status']],
  ])(
    'goes on with its update; chunks, commands and sends become spans that are linked to it, %s',
    async (_, stages) => {
      for (const list of stages) await start({ STAGES: list })
      const [context, unsampled] = [newContext(), newContext('00')]
      await send(
        { id: 'with', headers: { traceparent: context, tracestate: 'vendor=state' } },
        { id: 'without' },
        { id: 'unsampled', headers: { traceparent: unsampled } },
      )

      expect(await contextsOfUpdates()).toEqual({ with: context, without: undefined, unsampled })
      const updates = await read(names.STATUS_TOPIC)
      const ours = ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'content-type']
      for (const { headers = {} } of updates)
        expect(Object.keys(headers).filter((name) => name !== 'traceparent')).toEqual(ours)

      const { EVENTS_TOPICS, OBSERVATIONS_TOPIC, STATUS_TOPIC, MONGODB_COLLECTION, MONGODB_DATABASE } = names
      const [chunk, ...parts] = await traceOf(`process ${EVENTS_TOPICS}`, [
        `insert ${MONGODB_COLLECTION}`,
        `send ${OBSERVATIONS_TOPIC}`,
      ])
      expect(chunk).toMatchObject({ kind: KINDS.consumer, parentSpanId: '', links: [linkOf(context)], status: 0 })
      expect(chunk.attributes).toEqual({
        'messaging.system.name': 'kafka',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.destination.name': EVENTS_TOPICS,
        'messaging.destination.partition.id': '0',
        'messaging.consumer.group.name': `${names.KAFKA_GROUP_ID}-ingest`,
        'messaging.batch.message_count': 3,
      })
      expect(parts.map(({ parentSpanId }) => parentSpanId)).toEqual(parts.map(() => chunk.spanId))
      const insert = parts.find(({ name }) => name.startsWith('insert'))
      expect(insert?.kind).toBe(KINDS.client)
      expect(insert?.attributes).toMatchObject({
        'db.system.name': 'mongodb',
        'db.namespace': MONGODB_DATABASE,
        'db.collection.name': MONGODB_COLLECTION,
        'db.operation.name': 'insert',
        'db.operation.batch.size': 3,
        'server.port': expect.any(Number),
      })
      const sent = parts.find(({ name }) => name.startsWith('send')) as Span
      expect(sent.kind).toBe(KINDS.producer)

      // Three sessions are on one status partition or several: each lane has a chunk of its own.
      await traceOf(`process ${OBSERVATIONS_TOPIC}`, [`send ${STATUS_TOPIC}`])
      const chunks = named(await collector.spans(), `process ${OBSERVATIONS_TOPIC}`)
      for (const { links, kind } of chunks) {
        expect(links).toContain(`${sent.traceId}-${sent.spanId}`)
        expect(kind).toBe(KINDS.consumer)
      }
      expect(chunks.filter(({ links }) => links.includes(linkOf(context)))).toHaveLength(1)
      expect(chunks.some(({ links }) => links.includes(linkOf(unsampled)))).toBe(false)
    },
    120_000,
  )

  test('goes on with its dead letter, whose headers are as they were', async () => {
    await start()
    const headers = { traceparent: newContext(), tracestate: 'vendor=state' }
    await send({ id: 'bad', headers, value: 'no JSON' })
    const [letter] = await read(names.DEAD_LETTER_TOPIC)
    expect(letter?.headers?.traceparent?.toString()).toBe(headers.traceparent)
    expect(letter?.headers?.tracestate?.toString()).toBe(headers.tracestate)
    const [chunk] = await traceOf(`process ${names.EVENTS_TOPICS}`, [`send ${names.DEAD_LETTER_TOPIC}`])
    expect(chunk.links).toEqual([linkOf(headers.traceparent)])
  }, 120_000)

  test('is not taken from a header that is none, or that could hold a card number', async () => {
    await start()
    const { length } = CARD
    const withCard = `00-${CARD}${'ab'.repeat(8).slice(0, 32 - length)}-${hex(8)}-01`
    expect(withCard).toHaveLength(55)
    await send(
      { id: 'card', headers: { traceparent: withCard } },
      { id: 'short', headers: { traceparent: '00-1-2-01' } },
      { id: 'zeros', headers: { traceparent: `00-${'0'.repeat(32)}-${hex(8)}-01` } },
      { id: 'long', headers: { traceparent: 'x'.repeat(100_000) } },
    )
    expect(await contextsOfUpdates()).toEqual({ card: undefined, short: undefined, zeros: undefined, long: undefined })
    expect(ours(await collector.spans())).toEqual([])
  }, 120_000)
})

describe('a span', () => {
  test('holds nothing of a record, its key or its document', async () => {
    const processor = await start({ OTEL_TRACES_SAMPLER_ARG: '1' })
    const id = 'ID-IN-NO-SPAN'
    await send({ id, headers: { traceparent: newContext() } }, { id: `${id}-bad`, value: `no JSON ${CARD}` })
    await send({ id, headers: { traceparent: newContext() } })
    await processor.stop()
    // Also what came last is there: the end of the processor has waited for it.
    const isThere = (name: string) => collector.until(`there is "${name}"`, (spans) => named(spans, name).length > 0)
    await isThere(`update ${names.MONGODB_COLLECTION}`)
    await isThere(`send ${names.STATUS_TOPIC}`)
    await isThere(`send ${names.DEAD_LETTER_TOPIC}`)
    const text = await collector.text()
    for (const secret of [id, CARD, SECRETS.session, SECRETS.zone, 'on-going']) expect(text).not.toContain(secret)
  }, 120_000)
})

test('docs/how-to/trace.md', async () => {
  const processor = await start({ OTEL_TRACES_SAMPLER_ARG: '1' })
  await send({ id: 'a' })
  await traceOf(`process ${names.EVENTS_TOPICS}`, [])
  const addresses = { 'http://collector:4318': collector.address, 'http://localhost:9464': processor.url }
  const blocks = blocksOf('docs/how-to/trace.md').map(({ language, text }) => ({
    language,
    text: Object.entries(addresses).reduce((all, [of, by]) => all.replaceAll(of, by), text),
  }))
  await using terminal = new Terminal({ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: env.MONGODB_URI })
  await runBlocks(blocks, terminal)
  expect(terminal.output).toMatch(/result="exported"\} [1-9]/)
}, 120_000)

describe('a collector that is away', () => {
  test('harms nothing: records are stored and announced, and the end is in time', async () => {
    await collector.stop()
    const processor = await start({ OTEL_TRACES_SAMPLER_ARG: '1' })
    const context = newContext()
    await send({ id: 'a', headers: { traceparent: context } }, { id: 'b' })
    expect(await contextsOfUpdates()).toEqual({ a: context, b: undefined })
    expect(await processor.answers('/readyz')).toBe(200)
    await processor.stop()
    await collector.start()
  }, 120_000)
})
