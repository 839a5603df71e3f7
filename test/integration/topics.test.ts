import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Admin } from 'kafkajs'
import { waitOut } from '../../src/operate/wait-out.ts'
import type { Settings } from '../../src/settings.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { createTopic, ensureTopics, partitionCount, TopicsError } from '../../src/stream/topics.ts'
import { sharedServices, until } from '../support/services.ts'

const { brokers } = sharedServices()
const server = `--bootstrap-server ${brokers.join(',')}`
const kafka = new kafkajs.Kafka({ brokers, clientId: 'topics-test', logLevel: kafkajs.logLevel.NOTHING })
const DAY_MS = 86_400_000
let admin: Admin
let run: string
let topics: Settings['topics']

beforeAll(async () => {
  admin = kafka.admin()
  await admin.connect()
})
afterAll(() => admin.disconnect())

beforeEach(() => {
  run = `topics-${randomUUID()}`
  topics = {
    events: [`${run}.events`],
    responses: [`${run}.responses`],
    observations: `${run}.observations`,
    status: `${run}.status`,
    deadLetters: `${run}.dead`,
    create: true,
  }
})
afterEach(async () => {
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((name) => name.startsWith(run)) })
})

const names = () => [...topics.events, ...topics.responses, topics.observations, topics.status, topics.deadLetters]

/** As `process` does it: a busy broker does not know at once of a topic that it has just made. */
const patiently = <T>(work: () => Promise<T>): Promise<T> =>
  waitOut(work, {
    signal: AbortSignal.timeout(20_000),
    giveUp: (error) => (error as { type?: string }).type !== 'UNKNOWN_TOPIC_OR_PARTITION',
    onFailure: () => {},
  })
/** After a change: a broker learns of it some time after the controller has taken it. */
const settled = () => until(() => ensure(), { timeoutMs: 20_000, what: 'the topics are as needed' })
const ensure = (as = admin) => patiently(() => ensureTopics(as, topics, brokers))

async function make(topic: string, numPartitions: number, config: Record<string, string> = {}): Promise<void> {
  await createTopic(admin, topic, numPartitions, config)
}

/** What was set on a topic itself, the broker's defaults left out. */
async function configOf(name: string): Promise<Record<string, string>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
  })
  const own = resources[0]?.configEntries.filter(
    ({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG,
  )
  return Object.fromEntries((own ?? []).map(({ configName, configValue }) => [configName, configValue]))
}

async function problemsOf(ensuring: Promise<unknown>): Promise<string[]> {
  const error = await ensuring.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof TopicsError)) throw new Error(`Expected a TopicsError, got ${error}`)
  for (const problem of error.problems) expect(error.message).toContain(`\n- ${problem}`)
  return error.problems
}

const flag = (command: string, name: string) =>
  [...command.matchAll(new RegExp(`--${name} (\\S+)`, 'g'))].map((m) => m[1])

/** Does what the command of a problem says, through the admin client. */
async function obey(problem: string): Promise<void> {
  const [tool = '', ...rest] = (/kafka-\w+\.sh.*/.exec(problem)?.[0] ?? '').split(' ')
  const command = rest.join(' ')
  expect(command).toContain(server)
  const [topic = ''] = [...flag(command, 'topic'), ...flag(command, 'entity-name')]
  const [partitions] = flag(command, 'partitions')
  const pairs = [...flag(command, 'config'), ...flag(command, 'add-config')].map((pair = '') => pair.split('='))
  if (tool === 'kafka-configs.sh') {
    const configEntries = pairs.map(([name = '', value = '']) => ({ name, value }))
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    })
  } else if (command.includes('--create')) await make(topic, Number(partitions), Object.fromEntries(pairs))
  else if (command.includes('--alter')) {
    await admin.createPartitions({ topicPartitions: [{ topic, count: Number(partitions) }] })
  } else {
    await admin.deleteTopics({ topics: [topic] })
    const gone = async () => !(await admin.listTopics()).includes(topic)
    await until(gone, { timeoutMs: 20_000, what: 'the topic is gone' })
  }
}

describe('missing topics', () => {
  const log = { 'cleanup.policy': 'delete', 'message.timestamp.type': 'LogAppendTime' }
  const week = { ...log, 'retention.ms': String(7 * DAY_MS) }
  const expectMade = async () => {
    for (const name of names()) expect([name, await partitionCount(admin, name)]).toEqual([name, 12])
    const [events, responses, observations, status, deadLetters] = await Promise.all(names().map(configOf))
    expect([events, responses, observations]).toEqual([week, week, week])
    expect(deadLetters).toEqual({ ...log, 'retention.ms': String(30 * DAY_MS) })
    expect(status).toEqual({
      'cleanup.policy': 'compact',
      'min.compaction.lag.ms': String(DAY_MS),
      'segment.ms': String(DAY_MS),
    })
  }

  test('are made with 12 partitions and their settings', async () => {
    expect(await ensure()).toBe(12)
    await expectMade()
  })

  test('are made by whoever comes first: losing the race is no error', async () => {
    const racers = Array.from({ length: 3 }, () => kafka.admin())
    try {
      await Promise.all(racers.map((racer) => racer.connect()))
      expect(await Promise.all(racers.map((racer) => ensure(racer)))).toEqual([12, 12, 12])
    } finally {
      await Promise.all(racers.map((racer) => racer.disconnect()))
    }
    await expectMade()
  })

  test('are an error without CREATE_TOPICS: each named, with the command that makes it as it must be', async () => {
    topics = { ...topics, create: false }
    const problems = await problemsOf(ensure())
    expect(problems.map((problem) => problem.split(' ')[0]).toSorted()).toEqual(names().toSorted())
    for (const problem of problems) {
      expect(problem).toMatch(/ does not exist and CREATE_TOPICS is false; make it with: kafka-topics\.sh .* --create /)
      expect(flag(problem, 'replication-factor')).toEqual(['1'])
    }
    for (const name of names()) expect(await admin.listTopics()).not.toContain(name)
    for (const problem of problems) await obey(problem)
    expect(await ensure()).toBe(12)
    await expectMade()
  })

  test('alone are named without CREATE_TOPICS, not those that exist', async () => {
    await ensure()
    topics = { ...topics, create: false, deadLetters: `${run}.other` }
    const problems = await problemsOf(ensure())
    expect(problems).toEqual([expect.stringMatching(`^${topics.deadLetters} does not exist`)])
  })

  test.each([
    ['observations', 'status', { 'cleanup.policy': 'compact' }],
    ['status', 'observations', {}],
  ] as const)('of %s are made with as many partitions as %s has', async (missing, existing, config) => {
    await make(topics[existing], 5, config)
    expect(await ensure()).toBe(5)
    expect(await partitionCount(admin, topics[missing])).toBe(5)
    expect(await partitionCount(admin, topics.deadLetters)).toBe(12)
  })
})

describe('existing topics', () => {
  test('are left alone, with settings and numbers of partitions that are not ours', async () => {
    const [events = '', responses = ''] = names()
    const configs: [string, number, Record<string, string>][] = [
      [events, 1, { 'cleanup.policy': 'compact' }],
      [responses, 2, { 'message.timestamp.type': 'CreateTime', 'retention.ms': '3600000' }],
      [topics.observations, 3, { 'retention.ms': '7200000' }],
      [topics.status, 3, { 'cleanup.policy': 'compact', 'segment.ms': '60000' }],
      [topics.deadLetters, 4, {}],
    ]
    for (const [name, partitions, config] of configs) await make(name, partitions, config)
    expect(await ensure()).toBe(3)
    for (const [name, partitions, config] of configs) {
      expect([name, await partitionCount(admin, name), await configOf(name)]).toEqual([name, partitions, config])
    }
  })

  test.each([
    ['status', 'delete', 'compact'],
    ['status', 'compact,delete', 'compact'],
    ['observations', 'compact', 'delete'],
    ['deadLetters', 'compact', 'delete'],
  ] as const)('of %s with cleanup.policy=%s are an error with the command that mends it', async (which, has, needs) => {
    await make(topics[which], 2, { 'cleanup.policy': has })
    const problems = await problemsOf(ensure())
    expect(problems).toEqual([
      `${topics[which]} has cleanup.policy=${has}, but needs ${needs}; mend it with: kafka-configs.sh ${server} --alter ` +
        `--entity-type topics --entity-name ${topics[which]} --add-config cleanup.policy=${needs}`,
    ])
    for (const problem of problems) await obey(problem)
    expect(await settled()).toBeGreaterThan(0)
  })

  test.each([
    [2, 4],
    [4, 2],
  ])('of %i observations and %i status partitions are an error with the command that mends it', async (many, lanes) => {
    await make(topics.observations, many)
    await make(topics.status, lanes, { 'cleanup.policy': 'compact' })
    const problems = await problemsOf(ensure())
    const said = `^${topics.observations} has ${many} partitions and ${topics.status} ${lanes}, but they must be equal`
    expect(problems).toEqual([expect.stringMatching(said)])
    for (const problem of problems) await obey(problem)
    expect(await settled()).toBe(lanes)
    expect(await partitionCount(admin, topics.observations)).toBe(lanes)
  })

  test('with several faults are told all at once', async () => {
    await make(topics.status, 2)
    await make(topics.observations, 3, { 'cleanup.policy': 'compact' })
    expect(await problemsOf(ensure())).toHaveLength(3)
  })
})
