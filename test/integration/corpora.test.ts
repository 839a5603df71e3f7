import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Message } from 'kafkajs'
import { MongoClient } from 'mongodb'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { accountsOf } from '../support/accounting.ts'
import { compareRun, isRight, type Report, tellReport } from '../support/compare.ts'
import { jsonTestSuite, naughtyStrings } from '../support/corpora.ts'
import { startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { makeTopics } from '../support/run-topics.ts'
import { dropDatabase } from '../support/run-traffic.ts'
import { sharedServices } from '../support/services.ts'

const { env } = sharedServices()
const names = newRunNames('corpora')
const suite = jsonTestSuite()
const texts = naughtyStrings()
const STAMPED = '2026-11-01T12:00:00Z'

/** The text alone, which is hardly ever a record; and as the body of a response. */
const alone: Message[] = suite.map(({ name, bytes }) => ({ key: `alone ${name}`, value: bytes }))
const asBody: Message[] = suite.map(({ name, bytes }) => {
  const before = Buffer.from(`{"event_id":"body ${name}","timestamp":"${STAMPED}","response":`)
  return { key: null, value: Buffer.concat([before, bytes, Buffer.from('}')]) }
})
const record = (id: string, more: object) =>
  JSON.stringify({ event_id: id, event_type: 'parking_start', timestamp: STAMPED, ...more })
/** In every place where a text may stand. */
const naughty: Message[] = texts.flatMap((text, i) => [
  { key: null, value: record(`value ${i}`, { session_data: { session_id: `s-${i}`, text, nested: [{ text }] } }) },
  { key: null, value: record(`key ${i}`, { session_data: { session_id: `s-${i}`, [text]: { [text]: 1 } } }) },
  { key: null, value: record(`fields ${i}`, { card: text, zone_id: text, status: text, session_id: text }) },
  { key: text, value: record(text, {}) },
])

let report: Report
let outcomes: Record<string, number>
let unaccounted: number
let deadLetters: string[]
let stored: Set<string>

/** All of it through the real program, once; what the tests look at stays in memory. */
beforeAll(async () => {
  await makeTopics(env.KAFKA_BROKERS, names, { inputPartitions: 3, lanes: 3 })
  const producer = quietKafka(env.KAFKA_BROKERS, 'corpora').producer({ allowAutoTopicCreation: false })
  await producer.connect()
  await producer.send({ topic: names.EVENTS_TOPICS, messages: [...alone, ...naughty] })
  await producer.send({ topic: names.RESPONSES_TOPICS, messages: asBody })
  await producer.disconnect()
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  {
    await using processor = await startProcessor({
      ...env,
      ...names,
      CARD_TOKEN_KEY: 'a key for tests, of no other use',
    })
    await progress.caughtUp(120_000)
    ;({ outcomes, unaccounted } = accountsOf(await processor.metrics()))
    await processor.stop()
  }
  report = await compareRun(env, names, 'a key for tests, of no other use')
  const client = new MongoClient(env.MONGODB_URI)
  const ids = await client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION).distinct('_id')
  stored = new Set(ids.map(String))
  await client.close()
  deadLetters = suite.map(({ name }) => name).filter((name) => !stored.has(`body ${name}`))
}, 300_000)
afterAll(async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await dropDatabase(env, names)
})

describe('public test data goes through the program', () => {
  test('and each comes out as the model says, equal or as a dead letter', () => {
    if (!isRight(report)) throw new Error(tellReport(report))
    expect(unaccounted).toBe(0)
    expect(Object.values(outcomes).reduce((sum, count) => sum + count)).toBe(
      alone.length + asBody.length + naughty.length,
    )
  })

  test('every text that JSON allows is stored, but for what MongoDB cannot keep', () => {
    const keptOut = ['y_object_escaped_null_in_key']
    expect(deadLetters.filter((name) => name.startsWith('y_'))).toEqual(keptOut)
  })

  test('every text that JSON forbids is a dead letter', () => {
    const forbidden = suite.map(({ name }) => name).filter((name) => name.startsWith('n_'))
    expect(forbidden.length).toBeGreaterThan(180)
    expect(forbidden.filter((name) => stored.has(`body ${name}`))).toEqual([])
  })

  test('every naughty text is stored as a value', () => {
    expect(texts.length).toBeGreaterThan(500)
    expect(texts.map((_, i) => `value ${i}`).filter((id) => !stored.has(id))).toEqual([])
  })
})
