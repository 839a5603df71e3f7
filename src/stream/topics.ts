/** The topics of a run: made when missing, checked when they exist, never altered. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import type { Settings } from '../settings.ts'
import { needing } from './denied.ts'
import { saysKafka } from './errors.ts'
import { kafkajs } from './kafkajs.ts'

const DAY_MS = 86_400_000
const PARTITIONS = 12
/** What we send at once must fit. */
const LEAST_MESSAGE_BYTES = 1_000_000

interface TopicSpec {
  name: string
  config: Record<string, string>
  /** Ours alone, so a wrong setting is an error. An input may belong to who produces it. */
  ours: boolean
}

/** Every problem found with the topics, each with the command that mends it. */
export class TopicsError extends Error {
  override name = 'TopicsError'
  readonly problems: string[]
  constructor(problems: string[]) {
    super(`Kafka topics are not as needed:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

function specsOf(topics: Settings['topics']): TopicSpec[] {
  const log = { 'cleanup.policy': 'delete', 'message.timestamp.type': 'LogAppendTime' }
  const week = { ...log, 'retention.ms': String(7 * DAY_MS) }
  return [
    ...[...topics.events, ...topics.responses].map((name) => ({ name, config: week, ours: false })),
    { name: topics.observations, config: week, ours: true },
    { name: topics.deadLetters, config: { ...log, 'retention.ms': String(30 * DAY_MS) }, ours: true },
    {
      name: topics.status,
      config: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(DAY_MS), 'segment.ms': String(DAY_MS) },
      ours: true,
    },
  ]
}

/**
 * Makes what is missing (unless `topics.create` is false) and checks what exists.
 * Returns the number of status partitions, which the observations topic shares. Throws TopicsError.
 */
export async function ensureTopics(admin: Admin, topics: Settings['topics'], brokers: string[]): Promise<number> {
  const server = `--bootstrap-server ${brokers.join(',')}`
  const existing = new Set(await admin.listTopics())
  const replication = Math.min(3, (await admin.describeCluster()).brokers.length)
  const lanes = await laneCount(admin, topics, existing)
  const problems: string[] = []
  for (const spec of specsOf(topics)) {
    if (existing.has(spec.name)) continue
    const isLaned = spec.name === topics.status || spec.name === topics.observations
    const partitions = isLaned ? lanes : PARTITIONS
    const config = { ...spec.config, ...(replication === 3 && { 'min.insync.replicas': '2' }) }
    if (topics.create) await createTopic(admin, spec.name, partitions, config, replication)
    else problems.push(missing(spec.name, partitions, replication, config, server))
  }
  if (problems.length > 0) throw new TopicsError(problems)
  await checkTopics(admin, topics, server)
  return partitionCount(admin, topics.status)
}

/** As many lanes as the existing one of the two topics has partitions. */
async function laneCount(admin: Admin, topics: Settings['topics'], existing: Set<string>): Promise<number> {
  for (const name of [topics.status, topics.observations]) {
    if (existing.has(name)) return partitionCount(admin, name)
  }
  return PARTITIONS
}

export async function partitionCount(admin: Admin, topic: string): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions.length ?? 0
}

/** Makes a topic, or finds that another was first, and waits until the brokers know of it. */
export async function createTopic(
  admin: Admin,
  topic: string,
  numPartitions: number,
  config: Record<string, string> = {},
  replicationFactor = -1,
): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await needing({ operation: 'Create', on: 'topic', names: [topic] }, () =>
    admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions, replicationFactor, configEntries }],
    }),
  )
  for (let tries = 1; ; tries++) {
    try {
      await needing({ operation: 'Describe', on: 'topic', names: [topic] }, () =>
        admin.fetchTopicMetadata({ topics: [topic] }),
      )
      return
    } catch (error) {
      if (tries === 100 || !saysKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE')) throw error
      await sleep(100)
    }
  }
}

function missing(name: string, partitions: number, replication: number, config: object, server: string): string {
  const flags = Object.entries(config).map(([key, value]) => ` --config ${key}=${value}`)
  const create = `kafka-topics.sh ${server} --create --topic ${name} --partitions ${partitions}`
  return `${name} does not exist and CREATE_TOPICS is false; make it with: ${create} --replication-factor ${replication}${flags.join('')} (or, if it is there, let our user Describe it)`
}

async function checkTopics(admin: Admin, topics: Settings['topics'], server: string): Promise<void> {
  const problems: string[] = []
  const ours = specsOf(topics).filter((spec) => spec.ours)
  const names = ours.map(({ name }) => name)
  const { resources } = await needing({ operation: 'DescribeConfigs', on: 'topic', names }, () =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: ['cleanup.policy', 'max.message.bytes'],
      })),
    }),
  )
  for (const { name, config } of ours) {
    const entries = resources.find((resource) => resource.resourceName === name)?.configEntries ?? []
    const read = (key: string) => entries.find((entry) => entry.configName === key)?.configValue ?? ''
    const complain = (key: string, wanted: string, needs: string) =>
      problems.push(
        `${name} has ${key}=${read(key)}, but needs ${needs}; mend it with: kafka-configs.sh ${server} --alter ` +
          `--entity-type topics --entity-name ${name} --add-config ${key}=${wanted}`,
      )
    const policy = config['cleanup.policy'] as string
    if (read('cleanup.policy') !== policy) complain('cleanup.policy', policy, policy)
    if (Number(read('max.message.bytes')) < LEAST_MESSAGE_BYTES)
      complain('max.message.bytes', '1048588', 'Kafka’s default')
  }
  const [status, observations] = await Promise.all([
    partitionCount(admin, topics.status),
    partitionCount(admin, topics.observations),
  ])
  if (status !== observations) {
    const name = topics.observations
    const mend =
      observations < status
        ? `kafka-topics.sh ${server} --alter --topic ${name} --partitions ${status}`
        : `kafka-topics.sh ${server} --delete --topic ${name} (once its lag is 0; it is made anew at the next start)`
    problems.push(
      `${name} has ${observations} partitions and ${topics.status} ${status}, but they must be equal; mend it with: ${mend}`,
    )
  }
  if (problems.length > 0) throw new TopicsError(problems)
}
