import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Admin, Producer } from 'kafkajs'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { createDecoder } from '../../src/decode/decoder.ts'
import { createStatusCodec } from '../../src/status/codec.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { type Run, runMain, startMain } from '../support/run-main.ts'
import { sharedServices, until } from '../support/services.ts'

const services = sharedServices()
const kafka = new kafkajs.Kafka({ clientId: 'test', brokers: services.brokers, logLevel: kafkajs.logLevel.NOTHING })
const suffix = randomUUID().slice(0, 8)
const env = {
  KAFKA_BROKERS: services.env.KAFKA_BROKERS,
  KAFKA_GROUP_ID: `commands-${suffix}`,
  STATUS_TOPIC: `commands-status-${suffix}`,
  DEAD_LETTER_TOPIC: `commands-dead-${suffix}`,
}
let admin: Admin
let producer: Producer

beforeAll(async () => {
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false, idempotent: true })
  await Promise.all([admin.connect(), producer.connect()])
  for (const topic of [env.STATUS_TOPIC, env.DEAD_LETTER_TOPIC]) await createTopic(admin, topic, 3)
})

afterAll(async () => {
  await admin.deleteTopics({ topics: [env.STATUS_TOPIC, env.DEAD_LETTER_TOPIC] })
  await Promise.all([admin.disconnect(), producer.disconnect()])
})

const ownGroups = async () => {
  const { groups } = await admin.listGroups()
  return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(env.KAFKA_GROUP_ID))
}

describe('dead-letters', () => {
  const headers = (reason: string, offset: number) => ({
    dead_letter_reason: reason,
    dead_letter_message: `what is wrong with ${offset}`,
    dead_letter_source_topic: 'parkmobile.events',
    dead_letter_source_partition: '5',
    dead_letter_source_offset: String(offset),
    dead_letter_source_timestamp: '1767225600000',
    traceparent: '00-abc',
  })

  beforeAll(async () => {
    const start = Date.now() - 100_000
    const text = Array.from({ length: 30 }, (_, i) => ({
      partition: i % 2,
      key: `e-${i}`,
      value: `{"event_id": ${i}`,
      timestamp: String(start + i),
      headers: headers('invalid_json', i),
    }))
    const bytes = {
      partition: 2,
      key: null,
      value: Buffer.from([0, 0, 0, 0, 9, 255]),
      headers: headers('no_registry', 99),
    }
    await producer.send({ topic: env.DEAD_LETTER_TOPIC, messages: [...text, bytes] })
  })

  test('list shows the newest and counts the reasons', async () => {
    const { code, stdout, stderr } = await runMain(['dead-letters', 'list', '--limit', '3'], env)
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(8)
    expect(lines[1]).toMatch(/^2:0 .* no_registry +parkmobile\.events 5:99 +what is wrong with 99$/)
    expect(lines[2]).toMatch(/^1:14 .* invalid_json +parkmobile\.events 5:29 /)
    expect(lines.at(-3)).toBe('31 dead letters: invalid_json 30, no_registry 1')
    expect(lines.at(-2)).toBe('from parkmobile.events 31')
    expect(lines.at(-1)).toMatch(/^on \d{4}-\d\d-\d\d \d+/)
  })

  test('list --json is one object, and --reason narrows it', async () => {
    const { stdout } = await runMain(['dead-letters', 'list', '--json', '--reason', 'no_registry'], env)
    expect(JSON.parse(stdout)).toMatchObject({
      total: 1,
      reasons: { no_registry: 1 },
      letters: [{ partition: 2, offset: '0', source: { topic: 'parkmobile.events', partition: 5, offset: '99' } }],
    })
  })

  test('show tells all about one: text as text', async () => {
    const { code, stdout } = await runMain(['dead-letters', 'show', '1:14'], env)
    expect(code).toBe(0)
    expect(stdout).toMatch(/reason +invalid_json/)
    expect(stdout).toMatch(/timestamp +2026-01-01T00:00:00\.000Z/)
    expect(stdout).toMatch(/header +traceparent: 00-abc/)
    expect(stdout).toContain('key\ne-29')
    expect(stdout).toContain('{"event_id": 29')
  })

  test('show tells all about one: bytes as hex', async () => {
    expect((await runMain(['dead-letters', 'show', '2:0'], env)).stdout).toContain('00000000  00 00 00 00 09 ff')
    const { stdout } = await runMain(['dead-letters', 'show', '2:0', '--json'], env)
    expect(JSON.parse(stdout)).toMatchObject({
      reason: 'no_registry',
      key: null,
      value: { text: null, base64: 'AAAAAAn/' },
      headers: expect.arrayContaining([{ name: 'traceparent', text: '00-abc', base64: expect.any(String) }]),
    })
  })

  test.each([
    [['show', '1:15'], 'the partition has offsets 0 to 14'],
    [['show', '7:0'], 'has partitions 0 to 2, and no 7'],
  ])('%j is told to be absent', async (args, message) => {
    const { code, stdout, stderr } = await runMain(['dead-letters', ...args], env)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
  })

  test('a topic that is not there is told, with the setting', async () => {
    const { code, stderr } = await runMain(['dead-letters', 'list'], { ...env, DEAD_LETTER_TOPIC: `none-${suffix}` })
    expect(code).toBe(1)
    expect(stderr).toContain(`There is no topic none-${suffix}`)
    expect(stderr).toContain('DEAD_LETTER_TOPIC')
  })

  test('leaves no consumer group behind', async () => {
    expect(await ownGroups()).toEqual([])
  })
})

describe('tail', () => {
  const update = (session: string, status: string, changed = true): StatusUpdate => ({
    id: randomUUID(),
    event_id: `event-${status}`,
    session_id: session,
    card: null,
    zone_id: '953',
    kind: 'session',
    event_type: null,
    previous_status: changed ? null : status,
    status,
    changed,
    http_status: 'ETIMEDOUT',
    occurred_at: '2026-01-01T12:00:00.000Z',
    ends_at: null,
    revision: 1,
    state: { session: { status, occurred_at: '2026-01-01T12:00:00.000Z', event_id: `event-${status}` } },
    source: { topic: 't', partition: 0, offset: '1' },
  })

  const codecOf = (url: string | null) =>
    createStatusCodec(
      url === null ? null : { url, username: null, password: null },
      env.STATUS_TOPIC,
      createDecoder(null),
    )

  async function publish(updates: StatusUpdate[], url: string | null = null): Promise<void> {
    const codec = await codecOf(url)
    const messages = codec.toMessages(
      0,
      updates.map((update) => ({ key: String(update.session_id), update })),
    )
    await producer.send({ topic: env.STATUS_TOPIC, messages })
  }

  const following = async (args: string[], extra: Record<string, string> = {}): Promise<Run> => {
    const run = startMain(['tail', ...args], { ...env, ...extra })
    await until(() => run.stderr().includes('Tailing'), { timeoutMs: 20_000, what: 'tail follows the topic' })
    return run
  }

  const lines = (run: Run) => run.stdout().split('\n').filter(Boolean)
  const hasLines = (run: Run, n: number) =>
    until(() => lines(run).length >= n, { timeoutMs: 20_000, what: `${n} lines` })

  async function stop(run: Run): Promise<number | string> {
    run.child.kill('SIGTERM')
    return run.ended
  }

  test('prints what is committed after its start, and makes no group', async () => {
    await publish([update('before', 'on-going')])
    const run = await following([])
    await publish([update('a', 'on-going'), update('a', 'on-going', false), update('a', 'finished')])
    await hasLines(run, 2)
    expect(await stop(run)).toBe(0)
    expect(lines(run)).toEqual([
      expect.stringContaining('(new) → on-going  session a'),
      expect.stringContaining('(new) → finished  session a'),
    ])
    expect(await ownGroups()).toEqual([])
  })

  test('--json prints whole updates, JSON and Avro alike, as they were made', async () => {
    const updates = [update('json', 'on-going'), update('avro', 'finished')]
    const run = await following(['--json'], { SCHEMA_REGISTRY_URL: services.registryUrl })
    await publish(updates.slice(0, 1))
    await publish(updates.slice(1), services.registryUrl)
    await hasLines(run, 2)
    expect(await stop(run)).toBe(0)
    expect(lines(run).map((line) => JSON.parse(line))).toEqual(updates)
  })

  test('--from-beginning, --all and the filters choose; aborted updates and ended keys are left out', async () => {
    const transactional = kafka.producer({ transactionalId: `t-${suffix}`, maxInFlightRequests: 1, idempotent: true })
    await transactional.connect()
    const codec = await codecOf(null)
    const transaction = await transactional.transaction()
    await transaction.send({
      topic: env.STATUS_TOPIC,
      messages: codec.toMessages(0, [{ key: 'x', update: update('x', 'aborted') }]),
    })
    await transaction.abort()
    await transactional.disconnect()
    await producer.send({ topic: env.STATUS_TOPIC, messages: [{ key: 'x', value: null, partition: 0 }] })
    await publish([
      update('x', 'on-going'),
      update('x', 'on-going', false),
      update('y', 'on-going'),
      update('x', 'finished'),
    ])
    const run = await following(['--from-beginning', '--all', '--json', '--session', 'x', '--kind', 'session'])
    await hasLines(run, 3)
    await stop(run)
    expect(
      lines(run)
        .map((line) => JSON.parse(line))
        .map(({ status, changed }) => [status, changed]),
    ).toEqual([
      ['on-going', true],
      ['on-going', false],
      ['finished', true],
    ])
  })

  test('tells what is no status update and goes on', async () => {
    const run = await following([])
    await producer.send({ topic: env.STATUS_TOPIC, messages: [{ partition: 1, value: '{"a":1}' }] })
    await producer.send({
      topic: env.STATUS_TOPIC,
      messages: [{ partition: 1, value: Buffer.from([0, 0, 0, 0, 1, 1]) }],
    })
    await publish([update('after', 'on-going')])
    await hasLines(run, 1)
    await until(() => run.stderr().split('\n').length > 3, { timeoutMs: 20_000, what: 'both are told' })
    await stop(run)
    expect(run.stderr()).toMatch(/1:\d+ is no status update: it lacks the fields of one/)
    expect(run.stderr()).toMatch(/1:\d+ is no status update: .*SCHEMA_REGISTRY_URL/)
  })

  test('ends quietly when nobody reads it any more', async () => {
    const run = await following([])
    run.child.stdout?.destroy()
    await publish([update('a', 'on-going')])
    expect(await run.ended).toBe(0)
    expect(run.stderr().trim().split('\n')).toHaveLength(1)
  })

  test('a second signal ends it at once', async () => {
    const run = await following([])
    run.child.kill('SIGINT')
    run.child.kill('SIGINT')
    expect([0, 130]).toContain(await run.ended)
  })
})
