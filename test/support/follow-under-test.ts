import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import type { Admin, Kafka, KafkaConfig, Message, Producer } from 'kafkajs'
import { type FollowOptions, follow } from '../../src/stream/follow.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { sharedServices, until } from './services.ts'

/** What came of following a topic. */
export interface Followed {
  /** As `partition:offset:value`, in the order it came. */
  seen: string[]
  positions: Map<number, bigint>
  /** As `partition: position → from`. */
  gaps: string[]
  failures: Error[]
  ends: Map<number, bigint>
  ended: Promise<void>
  stop(): Promise<void>
}

export interface FollowUnderTest {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly producer: Producer
  /** A name of the running test alone. */
  readonly topic: string
  makeTopic(partitions: number): Promise<unknown>
  send(values: string[], partition?: number): Promise<unknown>
  /** Follows the topic, and keeps what comes. It is stopped after the test. */
  startFollowing(options?: Partial<FollowOptions>): Followed
}

/** Kafka and a topic's name for each test of the file that calls this at its top, and what follows that topic. */
export function followUnderTest(): FollowUnderTest {
  const kafka = followClient(sharedServices().brokers)
  const admin = kafka.admin()
  const producer = kafka.producer()
  const started: Followed[] = []
  let topic: string

  beforeAll(() => Promise.all([admin.connect(), producer.connect()]))
  afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]))
  beforeEach(() => {
    topic = `follow-${randomUUID()}`
  })
  afterEach(async () => {
    for (const { stop } of started.splice(0)) await stop()
  })

  return {
    ...{ kafka, admin, producer },
    get topic() {
      return topic
    },
    makeTopic: (partitions) => createTopic(admin, topic, partitions),
    send: (values, partition = 0) => producer.send({ topic, messages: messagesOf(values, partition) }),
    startFollowing(options = {}) {
      const one = startFollowing({ kafka, topic, ...options })
      started.push(one)
      return one
    },
  }
}

/** A client that soon tries again. */
export const followClient = (brokers: string[], more: Partial<KafkaConfig> = {}): Kafka =>
  new kafkajs.Kafka({
    ...{ brokers, clientId: 'follow-test', logLevel: kafkajs.logLevel.NOTHING },
    ...{ retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 } },
    ...more,
  })

function startFollowing(options: Partial<FollowOptions> & Pick<FollowOptions, 'kafka' | 'topic'>): Followed {
  const ending = new AbortController()
  const positions = options.positions ?? new Map<number, bigint>()
  const one = { seen: [], positions, gaps: [], failures: [], ends: new Map() } as unknown as Followed
  one.ended = follow({
    ...{ positions, signal: ending.signal },
    take: (partition, messages) => {
      for (const { offset, value } of messages) one.seen.push(`${partition}:${offset}:${value}`)
    },
    onGap: (partition, position, from) => one.gaps.push(`${partition}: ${position} → ${from}`),
    onFailure: (error) => one.failures.push(error),
    onAnswer: (ends) => {
      for (const [partition, end] of ends) one.ends.set(partition, end)
    },
    ...options,
  })
  one.ended.catch(() => {}) // a test awaits it, or not
  one.stop = async () => {
    ending.abort()
    await one.ended.catch(() => {})
  }
  return one
}

export const hasSeen = ({ seen }: Followed, count: number, timeoutMs = 20_000) =>
  until(() => seen.length >= count, { timeoutMs, what: `${count} records are seen`, everyMs: 5 })

export const isAt = ({ positions }: Followed, partition: number, offset: bigint) =>
  until(() => positions.get(partition) === offset, { timeoutMs: 20_000, what: `${partition} is at ${offset}` })

/** Values that tell their order: r0, r1 and so on. */
export const names = (count: number, start = 0) => Array.from({ length: count }, (_, i) => `r${start + i}`)

export const messagesOf = (values: string[], partition = 0): Message[] =>
  values.map((value) => ({ key: value, value, partition, headers: { name: value } }))
