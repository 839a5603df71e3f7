import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Admin, KafkaMessage, Producer } from 'kafkajs'
import { pino } from 'pino'
import { createKafka } from '../../src/stream/client.ts'
import {
  type PartitionConsumer,
  type PartitionConsumerOptions,
  startPartitionConsumer,
} from '../../src/stream/consumer.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { sourceRecord, type Turn } from '../../src/stream/turns.ts'
import { sharedServices, until } from '../support/services.ts'

const log = pino({ level: 'silent' })
const { brokers } = sharedServices()
const kafka = createKafka({ brokers, clientId: 'consumer-test', groupId: '', ssl: false, sasl: null }, log)
const PATIENCE = { timeoutMs: 40_000 }
let admin: Admin
let producer: Producer
let topic: string
let members: PartitionConsumer[]
const topics: string[] = []

beforeAll(async () => {
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
})
afterAll(async () => {
  // Not after each test: a kafkajs producer asks for all topics it ever sent to, and fails when one is gone.
  await admin.deleteTopics({ topics })
  await Promise.all([admin.disconnect(), producer.disconnect()])
})

beforeEach(() => {
  topic = `consumer-test-${randomUUID()}`
  members = []
})
afterEach(() => Promise.all(members.map((member) => member.stop())))

async function makeTopic(numPartitions = 1): Promise<void> {
  await createTopic(admin, topic, numPartitions)
  topics.push(topic)
}
const produce = (values: string[], partition = 0) =>
  producer.send({ topic, messages: values.map((value) => ({ value, partition })) })

/** What the group has committed of a partition; -1: nothing yet. */
async function committed(partition = 0): Promise<number> {
  const [offsets] = await admin.fetchOffsets({ groupId: topic, topics: [topic] })
  return Number(offsets?.partitions.find((one) => one.partition === partition)?.offset)
}

interface Member extends PartitionConsumer {
  /** Partitions of each assignment in turn; null when its membership ended. */
  assignments: (number[] | null)[]
  ids: (string | null)[]
  deaths: Error[]
}

async function join(
  onBatch: PartitionConsumerOptions['onBatch'],
  options: Partial<PartitionConsumerOptions> = {},
): Promise<Member> {
  const seen: Pick<Member, 'assignments' | 'ids' | 'deaths'> = { assignments: [], ids: [], deaths: [] }
  const consumer = await startPartitionConsumer({
    ...{ kafka, log, onBatch, groupId: topic, topics: [topic] },
    onAssignment(memberId, assignment) {
      seen.ids.push(memberId)
      seen.assignments.push(memberId === null ? null : (assignment[topic] ?? []))
    },
    onDead: (error) => seen.deaths.push(error),
    ...options,
  })
  members.push(consumer)
  return { ...consumer, ...seen }
}

const texts = (messages: KafkaMessage[]) => messages.map(({ value }) => String(value))
const hasAll = (count: number, member: Member) =>
  until(() => member.assignments.at(-1)?.length === count, { ...PATIENCE, what: `it has ${count}` })

/** A handler that keeps what it was given, and does with turn n what the n-th of `steps` says; the last one goes on. */
function script(...steps: ((messages: KafkaMessage[], lastOffset: string, turn: Turn) => Promise<unknown>)[]) {
  const turns: string[][] = []
  const onBatch: PartitionConsumerOptions['onBatch'] = async (messages, lastOffset, turn) => {
    const step = steps[Math.min(turns.length, steps.length - 1)]
    turns.push(texts(messages))
    await step?.(messages, lastOffset, turn)
  }
  return { turns, onBatch }
}
const doAll = async (_: KafkaMessage[], lastOffset: string, turn: Turn) => turn.done(lastOffset)
const tookTurns = (turns: unknown[], count: number) =>
  until(() => turns.length >= count, { ...PATIENCE, what: `${count} turns were taken` })
const hasCommitted = (offset: number, partition = 0) =>
  until(async () => (await committed(partition)) === offset, { ...PATIENCE, what: `offset ${offset} is committed` })

describe('a batch comes again', () => {
  test.each([
    ['an error', () => new Error('the database is away')],
    ['a TypeError, which would end a kafkajs consumer for good', () => new TypeError('x is not a function')],
    ['an error that kafkajs would not retry', () => Object.assign(new Error('fenced'), { retriable: false })],
  ])('when its handler throws %s: nothing is committed, and nobody is dead', async (_, failure) => {
    await makeTopic()
    await produce(['a', 'b', 'c'])
    const seen: number[] = []
    const fail = async () => {
      seen.push(await committed())
      throw failure()
    }
    const { turns, onBatch } = script(fail, fail, doAll)
    const member = await join(onBatch)
    await hasCommitted(3)
    expect(turns.slice(0, 3)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    // A coordinator that is still loading ends the membership once or twice before it begins.
    const assignments = member.assignments.filter((one) => one !== null)
    expect([seen, member.deaths, assignments]).toEqual([[-1, -1], [], [[0]]])
    await produce(['d'])
    await hasCommitted(4)
    expect(turns[3]).toEqual(['d'])
  })

  test('when its turn ends without a commit', async () => {
    await makeTopic()
    await produce(['a', 'b'])
    const { turns, onBatch } = script(async () => {}, doAll)
    await join(onBatch)
    await hasCommitted(2)
    expect(turns).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  test('from where its turn committed to, when it ends early', async () => {
    await makeTopic()
    await produce(['a', 'b', 'c'])
    const { turns, onBatch } = script(
      async ([first], _, turn) => turn.done(first?.offset ?? ''),
      async (_, lastOffset, turn) => {
        await hasCommitted(1)
        turn.done(lastOffset)
      },
    )
    await join(onBatch)
    await hasCommitted(3)
    expect(turns).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ])
  })
})

test('a record stands where Kafka has it', async () => {
  await makeTopic(3)
  await producer.send({ topic, messages: [{ partition: 2, key: 'k', value: null, headers: { h: 'x' } }] })
  const { onBatch } = script(async ([message], lastOffset, turn) => {
    records.push(sourceRecord(turn, message as KafkaMessage))
    turn.done(lastOffset)
  })
  const records: unknown[] = []
  await join(onBatch)
  await hasCommitted(1, 2)
  const [at, key, headers] = [expect.any(Number), Buffer.from('k'), { h: Buffer.from('x') }]
  expect(records).toEqual([{ topic, partition: 2, offset: '0', timestamp: at, key, value: null, headers }])
})

test('what one fetch brought of several partitions is handed over at the same time', async () => {
  await makeTopic(3)
  await producer.send({ topic, messages: [0, 1, 2].map((partition) => ({ partition, value: `of ${partition}` })) })
  const going = new Set<number>()
  let most = 0
  const { onBatch } = script(async (_, lastOffset, { partition, done }) => {
    most = Math.max(most, going.add(partition).size)
    await sleep(500)
    going.delete(partition)
    // The first fetch of a new topic may bring fewer; what is not done comes again.
    if (most === 3) done(lastOffset)
  })
  await join(onBatch)
  // A new topic may have a record twice, when its leader was not known yet.
  const areCommitted = async () => (await Promise.all([0, 1, 2].map(committed))).every((offset) => offset >= 1)
  await until(areCommitted, { ...PATIENCE, what: 'all three are committed' })
  expect(most).toBe(3)
})

describe('a batch that cannot be read', () => {
  const { CompressionTypes, CompressionCodecs } = kafkajs
  const gzip = CompressionCodecs[CompressionTypes.GZIP]()
  let spoiled = false

  beforeAll(() => {
    CompressionCodecs[CompressionTypes.GZIP] = () => ({
      ...gzip,
      async decompress(bytes: Buffer) {
        const whole: Buffer = await gzip.decompress(bytes)
        if (spoiled && whole.includes('poison')) throw new Error('incorrect data check')
        return whole
      },
    })
  })
  afterAll(() => {
    CompressionCodecs[CompressionTypes.GZIP] = () => gzip
  })

  test('lets its partition wait, while all before it and all others go on; nothing is lost', async () => {
    spoiled = true
    await makeTopic(3)
    await until(() => produce(['first'], 1), { ...PATIENCE, what: 'the leader is known' })
    const compressed = (partition: number, value: string) =>
      producer.send({ topic, compression: CompressionTypes.GZIP, messages: [{ partition, value }] })
    for (const value of ['second', 'poison', 'last']) await compressed(1, value)
    const said: Record<string, unknown>[] = []
    const seen: string[][] = [[], [], []]
    const member = await join(
      async (messages, lastOffset, turn) => {
        seen[turn.partition]?.push(...texts(messages))
        turn.done(lastOffset)
      },
      {
        log: pino({ base: null }, { write: (line) => void said.push(JSON.parse(line)) }),
        unreadableWaitMs: 1_000,
      },
    )
    await until(() => seen[1]?.includes('second'), { ...PATIENCE, what: 'what stands before is taken' })
    const joined = member.assignments.length
    for (let i = 0; i < 20; i++) for (const partition of [0, 2]) await compressed(partition, `${i}`)
    const numbers = Array.from({ length: 20 }, (_, i) => `${i}`)
    const haveAll = () => [0, 2].every((partition) => new Set(seen[partition]).size === numbers.length)
    await until(haveAll, { ...PATIENCE, what: 'the others have all' })
    expect(new Set(seen[1])).toEqual(new Set(['first', 'second']))
    const told = said.filter(({ msg }) => String(msg).startsWith('a record batch cannot be read'))
    expect(told[0]).toMatchObject({ topic, partition: 1, err: { message: 'incorrect data check' } })
    expect(told.length).toBeLessThan(30)
    expect(member.assignments).toHaveLength(joined)

    spoiled = false
    await until(() => seen[1]?.at(-1) === 'last', { ...PATIENCE, what: 'it is read again' })
    expect(seen[1]).toEqual(expect.arrayContaining(['poison', 'last']))
  })
})

test('two members share the partitions, and when one stops the other gets all', async () => {
  await makeTopic(4)
  const [first, second] = [script(doAll), script(doAll)]
  const a = await join(first.onBatch)
  await hasAll(4, a)
  const b = await join(second.onBatch)
  await Promise.all([hasAll(2, a), hasAll(2, b)])
  const [ofA, ofB] = [a.assignments.at(-1) ?? [], b.assignments.at(-1) ?? []]
  expect([...ofA, ...ofB].toSorted()).toEqual([0, 1, 2, 3])
  for (const partition of [0, 1, 2, 3]) await produce([`shared ${partition}`], partition)
  for (const partition of [0, 1, 2, 3]) await hasCommitted(1, partition)
  expect(first.turns.flat().toSorted()).toEqual(ofA.toSorted().map((partition) => `shared ${partition}`))
  expect(second.turns.flat().toSorted()).toEqual(ofB.toSorted().map((partition) => `shared ${partition}`))

  await b.stop()
  expect(b.assignments.at(-1)).toBeNull()
  await hasAll(4, a)
  for (const partition of [0, 1, 2, 3]) await produce([`alone ${partition}`], partition)
  for (const partition of [0, 1, 2, 3]) await hasCommitted(2, partition)
  expect(first.turns.flat()).toEqual(expect.arrayContaining([0, 1, 2, 3].map((partition) => `alone ${partition}`)))
})

test('stop ends a turn that waits on its signal at once, commits nothing, and leaves the group empty', async () => {
  await makeTopic()
  await produce(['a'])
  const { turns, onBatch } = script(
    (_, __, turn) => new Promise((resolve) => turn.signal.addEventListener('abort', resolve)),
  )
  const member = await join(onBatch)
  await tookTurns(turns, 1)
  const before = performance.now()
  await member.stop()
  expect(performance.now() - before).toBeLessThan(3_000)
  const { groups } = await admin.describeGroups([topic])
  expect(groups).toMatchObject([{ state: 'Empty', members: [] }])
  expect([await committed(), turns.length]).toEqual([-1, 1])
})

test('stop lets a turn finish and commit what it has in hand', async () => {
  await makeTopic()
  await produce(['a'])
  const { turns, onBatch } = script(async (_, lastOffset, turn) => {
    await new Promise((resolve) => turn.signal.addEventListener('abort', resolve))
    turn.done(lastOffset)
  })
  const member = await join(onBatch)
  await tookTurns(turns, 1)
  await member.stop()
  expect(await committed()).toBe(1)
})

test('rejoin leaves the group and comes back as a new member, which goes on where the old one was', async () => {
  await makeTopic()
  await produce(['a'])
  const { turns, onBatch } = script(doAll)
  const member = await join(onBatch)
  await hasCommitted(1)
  member.rejoin(50)
  member.rejoin(50)
  await until(() => member.ids.length >= 3, { ...PATIENCE, what: 'it is back' })
  expect(member.assignments).toEqual([[0], null, [0]])
  expect(member.ids[2]).not.toBe(member.ids[0])
  await produce(['b'])
  await hasCommitted(2)
  expect([turns, member.deaths]).toEqual([[['a'], ['b']], []])
})
