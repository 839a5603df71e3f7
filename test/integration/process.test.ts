import { randomUUID } from 'node:crypto'
import { createServer, connect as dial, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { Admin, KafkaMessage, Producer } from 'kafkajs'
import { MongoClient } from 'mongodb'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { offsetsOf } from '../support/new-topic.ts'
import { watchProgress } from '../support/progress.ts'
import { type Run, startMain } from '../support/run-main.ts'
import { newRunNames, type RunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

const { brokers, mongodbUri, registryUrl, env } = sharedServices()
const kafka = new kafkajs.Kafka({ brokers, clientId: 'process-test', logLevel: kafkajs.logLevel.NOTHING })
const [KAFKA, MONGODB] = [{ KAFKA_BROKERS: env.KAFKA_BROKERS }, { MONGODB_URI: mongodbUri }]
const PATIENCE_MS = 45_000
let admin: Admin
let producer: Producer
let names: RunNames
let started: Started[]

beforeEach(async () => {
  names = newRunNames('process')
  started = []
  // New ones for each test: kafkajs asks for all topics that a client ever named, and fails when one is gone.
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
})
afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL')
  await Promise.all(started.map(({ ended }) => ended))
  await Promise.all([admin.disconnect(), producer.disconnect()])
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await using mongo = new MongoClient(mongodbUri)
  await mongo.db(names.MONGODB_DATABASE).dropDatabase()
})

interface Started extends Run {
  answers(path: '/readyz' | '/healthz'): Promise<number>
  /** What `/readyz` says of a condition. */
  condition(name: string): Promise<string | undefined>
  /** Lines of its log with this message. */
  said(message: string): Record<string, unknown>[]
}

function start(args: string[], settings: Record<string, string>): Started {
  const run = startMain(['process', ...args], { HTTP_PORT: '0', ...names, ...settings })
  const lines = () =>
    run
      .stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const said = (message: string) => lines().filter(({ msg }) => msg === message)
  const ask = (path: string) => fetch(`http://127.0.0.1:${said('starting')[0]?.port}${path}`)
  const answers = async (path: string) => (await ask(path)).status
  const condition = async (name: string) => {
    const { conditions } = (await (await ask('/readyz')).json()) as { conditions: Record<string, { detail?: string }> }
    return conditions[name]?.detail
  }
  const process = { ...run, said, answers, condition }
  started.push(process)
  return process
}

const isReady = (process: Started) =>
  until(async () => (await process.answers('/readyz')) === 200, { timeoutMs: PATIENCE_MS, what: 'it is ready' })
const says = (process: Started, message: string) =>
  until(() => process.said(message)[0], { timeoutMs: PATIENCE_MS, what: `it says "${message}"` })

function signalled({ child, ended }: Run, signal: 'SIGTERM' | 'SIGINT'): Promise<number | string> {
  child.kill(signal)
  return ended
}

const group = (stage: string) => `${names.KAFKA_GROUP_ID}-${stage}`
async function membersOf(stage: string): Promise<unknown> {
  const { groups } = await admin.describeGroups([group(stage)])
  return [groups[0]?.state, groups[0]?.members]
}

const sendEvent = (event_id: string) =>
  producer.send({
    topic: names.EVENTS_TOPICS,
    messages: [
      {
        value: JSON.stringify({
          ...{ event_id, event_type: 'parking_start', card: 'card-1', zone_id: '67890', status: 'on-going' },
          ...{ session_data: { session_id: 's1' }, timestamp: new Date().toISOString() },
        }),
      },
    ],
  })

async function recordsOf(topic: string): Promise<KafkaMessage[]> {
  const all: KafkaMessage[] = []
  await readToEnd({
    ...{ kafka, topic },
    onMessages: (_, messages) => {
      all.push(...messages)
    },
  })
  return all
}
const countOf = async (topic: string) =>
  (await offsetsOf(admin, topic)).reduce((count, { high, low }) => count + Number(high) - Number(low), 0)

/** Stands before MongoDB, so that it can be away, or hang, for one processor alone. */
async function proxyToMongo() {
  const sockets = new Set<Socket>()
  let holding = false
  let held = ''
  const server = createServer((socket) => {
    const { hostname, port } = new URL(mongodbUri)
    const onward = dial(Number(port), hostname)
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.on('data', (data) => {
        if (!holding) to.write(data)
        else held += data.toString('latin1')
      })
    }
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = () => new Promise((resolve) => server.close(resolve))
  await listen(0)
  const { port } = server.address() as { port: number }
  await close()
  return {
    uri: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    open: () => listen(port),
    hold() {
      holding = true
    },
    held: () => held,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await close()
    },
  }
}

describe('SIGTERM', () => {
  test('ends it with 0, and leaves both groups empty', async () => {
    const process = start([], { ...KAFKA, ...MONGODB })
    await isReady(process)
    expect([await membersOf('ingest'), await membersOf('status')]).toEqual([
      ['Stable', [expect.anything()]],
      ['Stable', [expect.anything()]],
    ])
    expect(await signalled(process, 'SIGTERM')).toBe(0)
    expect([await membersOf('ingest'), await membersOf('status')]).toEqual([
      ['Empty', []],
      ['Empty', []],
    ])
    expect(process.said('stopped')).toHaveLength(1)
  })

  test('while it waits for MongoDB at its start ends it with 0', async () => {
    await using proxy = await proxyToMongo()
    const process = start([], { ...KAFKA, MONGODB_URI: proxy.uri })
    await says(process, 'waiting for mongodb')
    expect(await signalled(process, 'SIGTERM')).toBe(0)
    expect(await membersOf('status')).toEqual(['Empty', []])
  })

  test('a second time ends it at once, while it waits for what is in flight', async () => {
    await using proxy = await proxyToMongo()
    await proxy.open()
    const process = start([], { ...KAFKA, MONGODB_URI: proxy.uri })
    await isReady(process)
    proxy.hold()
    await sendEvent('e1')
    const asked = () => proxy.held().includes(names.MONGODB_COLLECTION)
    await until(asked, { timeoutMs: PATIENCE_MS, what: 'it has asked MongoDB for the document' })
    process.child.kill('SIGTERM')
    await says(process, 'stopping: finishing what is in flight')
    const before = performance.now()
    expect(await signalled(process, 'SIGTERM')).toBe(143)
    expect(performance.now() - before).toBeLessThan(3_000)
    expect(process.said('stopped')).toEqual([])
  })
})

test('MongoDB away at the start is waited for: alive, not ready, and a line that names it and since when', async () => {
  await using proxy = await proxyToMongo()
  const begun = Date.now()
  const process = start([], { ...KAFKA, MONGODB_URI: proxy.uri })
  const { dependency, since, reason, level } = await says(process, 'waiting for mongodb')
  expect([dependency, level, typeof reason]).toEqual(['mongodb', 'warn', 'string'])
  expect(Date.parse(String(since))).toBeGreaterThan(begun)
  expect(Date.parse(String(since))).toBeLessThanOrEqual(Date.now())
  expect([await process.answers('/readyz'), await process.answers('/healthz')]).toEqual([503, 200])
  await proxy.open()
  await isReady(process)
  expect(process.said('mongodb is back')).toHaveLength(1)
  expect(await signalled(process, 'SIGTERM')).toBe(0)
})

test('two deployments that write to one status topic fence each other, and become not ready, traffic or not', async () => {
  const first = start([], { ...KAFKA, ...MONGODB })
  await isReady(first)
  const second = start(['--stages', 'status'], { ...KAFKA, KAFKA_GROUP_ID: `${names.KAFKA_GROUP_ID}-other` })
  const fencedThreeTimes = async () => {
    await sendEvent(randomUUID())
    const of = (process: Started) => process.said('fenced: leaving the group to join it anew')
    return [first, second].find((process) => of(process).some(({ times }) => times === 3))
  }
  const told = await until(fencedThreeTimes, {
    timeoutMs: 2 * PATIENCE_MS,
    what: 'one was fenced three times in a row',
    everyMs: 300,
  })
  expect(await told.condition('lanes')).toMatch(/fenced 3 times in a row/)
})

describe('what waiting cannot mend ends it with 1:', () => {
  test('a schema under the subject of the status topic that ours does not fit', async () => {
    const schema = JSON.stringify({ type: 'record', name: 'Stranger', fields: [{ name: 'size', type: 'int' }] })
    const subject = `${names.STATUS_TOPIC}-value`
    const registry = new SchemaRegistry({ host: registryUrl })
    await registry.register({ type: SchemaType.AVRO, schema }, { subject })
    const process = start([], { ...KAFKA, ...MONGODB, SCHEMA_REGISTRY_URL: registryUrl })
    expect(await process.ended).toBe(1)
    const [fatal] = process.said('cannot go on')
    expect(fatal).toMatchObject({ level: 'fatal', err: { message: expect.stringMatching(/[Ii]ncompatible/) } })
    expect(await countOf(names.STATUS_TOPIC)).toBe(0)
  })

  test('a status topic that deletes instead of compacting, with the command that mends it', async () => {
    await createTopic(admin, names.STATUS_TOPIC, 1, { 'cleanup.policy': 'delete' })
    const process = start([], { ...KAFKA, ...MONGODB })
    expect(await process.ended).toBe(1)
    const [fatal] = process.said('cannot go on') as { err: { message: string } }[]
    expect(fatal?.err.message).toContain(`${names.STATUS_TOPIC} has cleanup.policy=delete, but needs compact`)
    expect(fatal?.err.message).toMatch(/mend it with: kafka-configs\.sh .* --add-config cleanup\.policy=compact/)
  })
})

test('the ingest stage alone publishes nothing; the status stage alone, without MongoDB, then does', async () => {
  const ingest = start(['--stages', 'ingest'], { ...KAFKA, ...MONGODB })
  await isReady(ingest)
  await sendEvent('e1')
  const observed = async () => (await countOf(names.OBSERVATIONS_TOPIC)) > 0
  await until(observed, { timeoutMs: PATIENCE_MS, what: 'the observation is sent' })
  expect(await signalled(ingest, 'SIGTERM')).toBe(0)
  expect([await countOf(names.STATUS_TOPIC), await membersOf('status')]).toEqual([0, ['Dead', []]])

  const status = start(['--stages', 'status'], KAFKA)
  await isReady(status)
  const published = async () => (await recordsOf(names.STATUS_TOPIC)).length > 0
  await until(published, { timeoutMs: PATIENCE_MS, what: 'the update is published' })
  expect(await signalled(status, 'SIGTERM')).toBe(0)
  const [update, ...more] = await recordsOf(names.STATUS_TOPIC)
  expect(JSON.parse(String(update?.value))).toMatchObject({ event_id: 'e1', session_id: 's1', revision: 1 })
  expect(more).toEqual([])
})
