import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Admin, Message, Producer } from 'kafkajs'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { type JudgedRecord, readTopic } from '../support/judge.ts'
import { runMain, startMain } from '../support/run-main.ts'
import { sharedServices, until } from '../support/services.ts'

const services = sharedServices()
const kafka = quietKafka(services.env.KAFKA_BROKERS, 'replay')
const PARTITIONS = 3
const made: string[] = []
let admin: Admin
let producer: Producer

beforeAll(async () => {
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false, idempotent: true })
  await Promise.all([admin.connect(), producer.connect()])
})
afterAll(async () => {
  await admin.deleteTopics({ topics: made })
  await Promise.all([admin.disconnect(), producer.disconnect()])
})

/** Topics of their own, and the settings that name them. */
async function newHouse() {
  const suffix = randomUUID().slice(0, 8)
  const env = {
    KAFKA_BROKERS: services.env.KAFKA_BROKERS,
    KAFKA_GROUP_ID: `replay-${suffix}`,
    EVENTS_TOPICS: `replay-events-${suffix}`,
    RESPONSES_TOPICS: `replay-responses-${suffix}`,
    DEAD_LETTER_TOPIC: `replay-dead-${suffix}`,
  }
  const topics = [env.EVENTS_TOPICS, env.RESPONSES_TOPICS, env.DEAD_LETTER_TOPIC]
  for (const topic of topics) await createTopic(admin, topic, PARTITIONS)
  made.push(...topics)
  const replay = (...args: string[]) => runMain(['dead-letters', 'replay', ...args], env)
  const groups = async () =>
    (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(env.KAFKA_GROUP_ID))
  return { env, replay, groups }
}

type Letter = Partial<Message> & { offset: number; from?: string; at?: number; marks?: Record<string, string> }

const letterOf = (topic: string, { offset, from = topic, at = 1, marks = {}, ...message }: Letter) => ({
  ...{ partition: at, key: `key ${offset}`, value: `{"event_id": "${offset}"` },
  ...message,
  headers: {
    ...message.headers,
    dead_letter_reason: 'invalid_json',
    dead_letter_message: 'no JSON',
    dead_letter_source_topic: from,
    dead_letter_source_partition: String(at),
    dead_letter_source_offset: String(offset),
    dead_letter_source_timestamp: '1767225600000',
    ...marks,
  },
})

async function all(topic: string): Promise<JudgedRecord[]> {
  const records: JudgedRecord[] = []
  for await (const record of readTopic(services.env.KAFKA_BROKERS, topic, { transactional: true })) records.push(record)
  return records
}

const SECOND_FROM_NOW = () => new Date(Date.now() + 1_000).toISOString()

describe('dead-letters replay', () => {
  test('tells what it would send and sends nothing; told to, it sends each record back as it was, once', async () => {
    const { env, replay, groups } = await newHouse()
    const topic = env.EVENTS_TOPICS
    const bytes = Buffer.from([0, 255, 254, 1])
    const letters = [
      letterOf(topic, { offset: 1, headers: { traceparent: '00-abc' } }),
      letterOf(topic, { offset: 2, key: bytes, value: bytes }),
      letterOf(topic, { offset: 3, key: null, value: null, marks: { dead_letter_reason: 'missing_event_id' } }),
      letterOf(topic, { offset: 4, from: env.RESPONSES_TOPICS, at: 2 }),
      letterOf(topic, { offset: 1, headers: { traceparent: 'again' } }),
      letterOf(topic, { offset: 5, value: null, marks: { dead_letter_value: 'withheld' } }),
      letterOf(topic, { offset: 6, marks: { dead_letter_value: 'tokenised', dead_letter_replays: '2' } }),
      letterOf(topic, { offset: 7, marks: { dead_letter_replays: '3' } }),
      letterOf(topic, { offset: 8, from: 'of-somebody-else' }),
      { partition: 0, key: 'not', value: 'a letter' },
    ]
    const strange = { ...letterOf(topic, { offset: 9 }), partition: 0 }
    strange.headers.dead_letter_source_partition = '17'
    await producer.send({ topic: env.DEAD_LETTER_TOPIC, messages: [...letters, strange] })
    const options = ['--until', SECOND_FROM_NOW()]

    const dry = await replay(...options)
    expect([dry.code, dry.stderr]).toEqual([0, ''])
    expect(dry.stdout.split('\n')).toEqual([
      'Would replay 5 records: invalid_json 4, missing_event_id 1',
      `  to ${env.EVENTS_TOPICS} 4, ${env.RESPONSES_TOPICS} 1`,
      ...dry.stdout.split('\n').slice(2),
    ])
    for (const why of [
      'another one has the same source',
      'a part of it was withheld',
      'it was replayed too often',
      'its topic is not among EVENTS_TOPICS and RESPONSES_TOPICS',
      'its topic has no such partition',
      'it does not say where it came from',
    ])
      expect(dry.stdout).toContain(`Not 1: ${why}`)
    expect(dry.stdout).toContain('Nothing was sent. To send them:')
    expect(await admin.fetchTopicOffsets(topic)).toEqual(
      expect.arrayContaining([expect.objectContaining({ high: '0', partition: 1 })]),
    )

    const { code, stdout } = await replay(...options, '--execute', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      replayed: 5,
      bySource: { [topic]: 4 },
    })
    const marks = (offset: number, replays = 1) => ({
      dead_letter_replays: String(replays),
      dead_letter_origin: `${topic}/1/${offset}`,
      dead_letter_source_timestamp: '1767225600000',
    })
    const events = await all(topic)
    expect(events.map(({ partition, key, value, headers }) => ({ partition, key, value, headers }))).toEqual([
      {
        partition: 1,
        key: Buffer.from('key 1'),
        value: Buffer.from('{"event_id": "1"'),
        headers: { traceparent: '00-abc', ...marks(1) },
      },
      { partition: 1, key: bytes, value: bytes, headers: marks(2) },
      { partition: 1, key: null, value: null, headers: marks(3) },
      { partition: 1, key: Buffer.from('key 6'), value: Buffer.from('{"event_id": "6"'), headers: marks(6, 3) },
    ])
    expect((await all(env.RESPONSES_TOPICS)).map(({ partition, key }) => [partition, String(key)])).toEqual([
      [2, 'key 4'],
    ])
    const [again, moreOften] = await Promise.all([replay(...options, '--execute', '--json'), groups()])
    expect(JSON.parse(again.stdout)).toMatchObject({ replayed: 5, earlier: 5 })
    expect(await all(topic)).toHaveLength(events.length)
    expect(moreOften).toHaveLength(1)
  }, 120_000)

  test('of a record that has come back, only the newest letter is sent; one that its topic refuses stops no other', async () => {
    const { env, replay } = await newHouse()
    const topic = env.EVENTS_TOPICS
    const back = { dead_letter_origin: `${topic}/1/1` }
    const letters = [
      letterOf(topic, { offset: 1 }),
      letterOf(topic, { offset: 11, marks: { ...back, dead_letter_replays: '1' } }),
      letterOf(topic, { offset: 12, marks: { ...back, dead_letter_replays: '2' } }),
      letterOf(topic, { offset: 2, value: 'x'.repeat(990_000), headers: { more: 'y'.repeat(100_000) } }),
      letterOf(topic, { offset: 3 }),
    ]
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: '500000' }] }],
    })
    for (const letter of letters)
      await producer.send({ topic: env.DEAD_LETTER_TOPIC, messages: [letter] }).catch(() => {})
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: 2, name: env.DEAD_LETTER_TOPIC, configEntries: [{ name: 'max.message.bytes', value: '2000000' }] },
      ],
    })
    await until(
      async () => {
        await producer.send({ topic: env.DEAD_LETTER_TOPIC, messages: [letters[3] as (typeof letters)[0]] })
        return true
      },
      { timeoutMs: 30_000, what: 'the broker takes large letters' },
    )
    const { code, stdout } = await replay('--execute')
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Replayed 2 records: invalid_json 2'])
    expect(stdout).toContain('Not 2: it has come back, and that letter is meant')
    expect(stdout).toContain('Not 1: its topic refuses it')
    expect((await all(topic)).map(({ key, headers }) => [String(key), headers.dead_letter_replays])).toEqual([
      ['key 12', '3'],
      ['key 3', '1'],
    ])
  }, 120_000)

  test('begun again, a run counts what it has sent, though that has come back by now', async () => {
    const { env, replay } = await newHouse()
    const [topic, deadLetters] = [env.EVENTS_TOPICS, env.DEAD_LETTER_TOPIC]
    const before = letterOf(topic, {
      offset: 3,
      marks: { dead_letter_replays: '1', dead_letter_origin: `${topic}/1/0` },
    })
    const messages = [
      letterOf(topic, { offset: 0 }),
      letterOf(topic, { offset: 1 }),
      letterOf(topic, { offset: 2 }),
      before,
    ]
    await producer.send({ topic: deadLetters, messages })
    const options = ['--until', SECOND_FROM_NOW(), '--execute', '--json']
    const kept = { 'it has come back, and that letter is meant': 1 }
    expect(JSON.parse((await replay(...options)).stdout)).toMatchObject({ replayed: 3, earlier: 0, kept })
    await sleep(1_000)
    const back = (await all(topic)).map(({ headers }, i) =>
      letterOf(topic, { offset: 10 + i, marks: headers as Record<string, string> }),
    )
    await producer.send({ topic: deadLetters, messages: back })
    expect(JSON.parse((await replay(...options)).stdout)).toMatchObject({ replayed: 3, earlier: 3, kept })
    expect(await all(topic)).toHaveLength(3)
  }, 60_000)

  test('killed at any moment and begun again, a run sends each record once', async () => {
    const { env, replay } = await newHouse()
    const COUNT = 60_000
    for (let from = 0; from < COUNT; from += 2_000) {
      const messages = Array.from({ length: 2_000 }, (_, i) =>
        letterOf(env.EVENTS_TOPICS, { offset: from + i, at: i % 3 }),
      )
      await producer.send({ topic: env.DEAD_LETTER_TOPIC, messages })
    }
    const options = ['--until', SECOND_FROM_NOW(), '--execute']
    const sent = async () =>
      (await admin.fetchTopicOffsets(env.EVENTS_TOPICS)).reduce((sum, { high }) => sum + Number(high), 0)
    let kills = 0
    for (const share of [0.01, 0.3, 0.6]) {
      const run = startMain(['dead-letters', 'replay', ...options], env)
      let hasEnded = false
      run.ended.then(() => (hasEnded = true))
      await until(async () => hasEnded || (await sent()) > COUNT * share, {
        timeoutMs: 60_000,
        what: 'it sends',
        everyMs: 5,
      })
      if (run.child.kill('SIGKILL')) kills++
      await run.ended
    }
    expect(kills).toBeGreaterThan(0)
    const { code, stdout } = await replay(...options)
    expect(code).toBe(0)
    expect(stdout).toContain(`Replayed ${COUNT} records`)
    expect(stdout).toMatch(/\d+ of them before this part of the run/)
    const keys = (await all(env.EVENTS_TOPICS)).map(({ key }) => String(key))
    expect(keys).toHaveLength(COUNT)
    expect(new Set(keys).size).toBe(COUNT)
  }, 240_000)

  test('told to stop, it tells the command that goes on', async () => {
    const { env } = await newHouse()
    const messages = Array.from({ length: 5_000 }, (_, i) => letterOf(env.EVENTS_TOPICS, { offset: i, at: i % 3 }))
    for (let i = 0; i < 8; i++) await producer.send({ topic: env.DEAD_LETTER_TOPIC, messages })
    const run = startMain(['dead-letters', 'replay', '--reason', 'invalid_json', '--execute'], env)
    const sent = async () => (await admin.fetchTopicOffsets(env.EVENTS_TOPICS)).some(({ high }) => high !== '0')
    await until(sent, { timeoutMs: 60_000, what: 'it sends', everyMs: 5 })
    run.child.kill('SIGTERM')
    const code = await run.ended
    if (code === 0) return // it was faster
    expect(code).toBe(143)
    expect(run.stderr()).toMatch(
      /To go on where it was:\n {2}pm-parking-events dead-letters replay --reason invalid_json --until \S+Z --max-replays 3 --execute/,
    )
  }, 120_000)
})
