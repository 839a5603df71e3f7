import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import type { Kafka, Producer } from 'kafkajs'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { type JudgedRecord, readTopic } from '../support/judge.ts'
import { sharedServices } from '../support/services.ts'

async function withTopic<T>(use: (topic: string, kafka: Kafka) => Promise<T>): Promise<T> {
  const topic = `judge-${randomUUID()}`
  const kafka = new kafkajs.Kafka({ brokers: sharedServices().brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    await createTopic(admin, topic, 2)
    return await use(topic, kafka)
  } finally {
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
  }
}

async function judged(topic: string, options = {}): Promise<JudgedRecord[]> {
  const records: JudgedRecord[] = []
  for await (const record of readTopic(sharedServices().env.KAFKA_BROKERS, topic, options)) records.push(record)
  return records
}

async function withProducer(producer: Producer, use: (producer: Producer) => Promise<void>): Promise<void> {
  await producer.connect()
  await use(producer).finally(() => producer.disconnect())
}

test('the judge sees every byte of keys, values and headers, and tells null from text', async () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  await withTopic(async (topic, kafka) => {
    const messages = [
      { partition: 1, key: every, value: every, headers: { reason: 'a, b: c\td' } },
      { partition: 1, key: null, value: null },
      { partition: 1, key: '', value: 'null' },
    ]
    await withProducer(kafka.producer(), async (producer) => {
      await producer.send({ topic, messages })
    })
    const records = await judged(topic)
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      [every, every],
      [null, null],
      [Buffer.alloc(0), Buffer.from('null')],
    ])
    expect(records[0]).toMatchObject({ topic, partition: 1, offset: 0, headers: { reason: 'a, b: c\td' } })
    expect(records[1]?.headers).toEqual({})
  })
}, 120_000)

test('the judge sees committed transactions and no aborted one', async () => {
  await withTopic(async (topic, kafka) => {
    const settings = { transactionalId: topic, maxInFlightRequests: 1, idempotent: true }
    await withProducer(kafka.producer(settings), async (producer) => {
      for (const outcome of ['commit', 'abort', 'commit'] as const) {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ partition: 0, value: outcome }] })
        await transaction[outcome]()
      }
    })
    const records = await judged(topic, { transactional: true })
    expect(records.map(({ offset, value }) => [offset, String(value)])).toEqual([
      [0, 'commit'],
      [4, 'commit'],
    ])
  })
}, 120_000)
