import { setTimeout as delay } from 'node:timers/promises'
import { withAdmin } from '../../local/quiet-kafka.ts'
import { until } from '../../local/until.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { copyTopic, readAll } from '../support/copy-topic.ts'
import { underLoad } from './brokers.ts'
import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 600
const PATIENCE_MS = 90_000

const admin = <T>({ cluster }: FaultRun, use: Parameters<typeof withAdmin<T>>[1]): Promise<T> =>
  withAdmin(cluster.env.KAFKA_BROKERS, use)

async function workOff({ fleet, progress, send }: FaultRun): Promise<void> {
  await send(RECORDS)
  const processor = await fleet.start()
  await progress.caughtUp(PATIENCE_MS)
  await fleet.end(processor, 'stop')
}

/** Both groups stand at the beginning of everything. */
async function rewind(run: FaultRun): Promise<void> {
  const { names, progress } = run
  const [ingest, status] = [`${names.KAFKA_GROUP_ID}-ingest`, `${names.KAFKA_GROUP_ID}-status`]
  await admin(run, async (it) => {
    for (const topic of [names.EVENTS_TOPICS, names.RESPONSES_TOPICS]) {
      await it.resetOffsets({ groupId: ingest, topic, earliest: true })
    }
    await it.resetOffsets({ groupId: status, topic: names.OBSERVATIONS_TOPIC, earliest: true })
  })
  if ((await progress.left()) < RECORDS) throw new Error('The offsets were not rewound')
  run.count('rewound')
}

/** What operators do to offsets: none of it publishes an update again. */
async function offsetsGone(run: FaultRun): Promise<void> {
  const { names, random } = run
  const groups = [`${names.KAFKA_GROUP_ID}-ingest`, `${names.KAFKA_GROUP_ID}-status`]
  await workOff(run)
  await rewind(run)
  await workOff(run)
  await admin(run, (it) => it.deleteGroups(random.chance(0.5) ? groups : [groups[random.int(0, 1)] as string]))
  run.count('groups without offsets')
  await workOff(run)
  await anotherGroup(run)
}

async function anotherGroup(run: FaultRun): Promise<void> {
  const { fleet, names } = run
  const other = { ...names, KAFKA_GROUP_ID: `${names.KAFKA_GROUP_ID}-other` }
  const processor = await fleet.start({ KAFKA_GROUP_ID: other.KAFKA_GROUP_ID })
  const groups = ['ingest', 'status'].map((stage) => `${other.KAFKA_GROUP_ID}-${stage}`)
  await until(() => admin(run, (it) => isDone(it, groups, other)), {
    timeoutMs: PATIENCE_MS,
    what: 'another group has read everything',
    everyMs: 500,
  })
  await fleet.end(processor, 'stop')
  await admin(run, (it) => it.deleteGroups(groups))
  run.count('other groups')
}

async function isDone(it: Parameters<Parameters<typeof withAdmin>[1]>[0], groups: string[], names: FaultRun['names']) {
  const [ingest, status] = groups as [string, string]
  const topics: [string, string][] = [
    [ingest, names.EVENTS_TOPICS],
    [ingest, names.RESPONSES_TOPICS],
    [status, names.OBSERVATIONS_TOPIC],
  ]
  for (const [groupId, topic] of topics) {
    const [committed] = await it.fetchOffsets({ groupId, topics: [topic] })
    const done = new Map(committed?.partitions.map(({ partition, offset }) => [partition, offset]))
    for (const { partition, high, low } of await it.fetchTopicOffsets(topic)) {
      if (high !== low && done.get(partition) !== high) return false
    }
  }
  return true
}

/**
 * The status topic as it is a long time later: of every key only the last update is left, and the log ends in markers. The
 * heads that a lane reads from it are whole all the same: all input once more publishes nothing, and new records go on
 * where the keys stood. What compaction takes away is kept in a topic of its own, for the judge.
 */
async function compactedHard(run: FaultRun): Promise<void> {
  const { fleet, names } = run
  const topic = names.STATUS_TOPIC
  const archive = `${topic}.archive`
  await workOff(run)
  const lanes = await admin(run, async (it) => (await it.fetchTopicOffsets(topic)).length)
  await admin(run, (it) => createTopic(it, archive, lanes))
  const written = await copyTopic(run.cluster.env.KAFKA_BROKERS, topic, archive, new Map())
  await configure(run, topic, { ...COMPACT, 'min.compaction.lag.ms': '0', 'max.compaction.lag.ms': '1' })
  await delay(Number(COMPACT['segment.ms'])) // then the next record begins a new segment, and the old one can be compacted
  await fleet.end(await fleet.start(), 'stop')
  const isCompacted = async () => (await countOf(run, topic)) < written.count
  await until(isCompacted, { timeoutMs: PATIENCE_MS, what: 'the status topic is compacted', everyMs: 1_000 })
  await configure(run, topic, { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '86400000' })
  await rewind(run)
  await workOff(run)
  await copyTopic(run.cluster.env.KAFKA_BROKERS, topic, archive, written.ends)
  run.say(`${written.count} updates were compacted to less`)
  run.count('compacted topics')
  names.STATUS_TOPIC = archive
}

const COMPACT = {
  ...{ 'cleanup.policy': 'compact', 'segment.ms': '1000', 'segment.bytes': '1048576' },
  ...{ 'min.cleanable.dirty.ratio': '0.001', 'delete.retention.ms': '0' },
}

const configure = (run: FaultRun, name: string, config: Record<string, string>) =>
  admin(run, (it) =>
    it.alterConfigs({
      validateOnly: false,
      resources: [
        { type: TOPIC, name, configEntries: Object.entries(config).map(([n, value]) => ({ name: n, value })) },
      ],
    }),
  )

const TOPIC = 2

async function countOf({ cluster }: FaultRun, topic: string): Promise<number> {
  let count = 0
  await readAll(cluster.env.KAFKA_BROKERS, topic, new Map(), (_, messages) => {
    count += messages.length
  })
  return count
}

/** Sessions then go on in other partitions, and nobody tells the processor. */
async function partitionsAdded(run: FaultRun): Promise<void> {
  const { names, inputPartitions, random } = run
  await underLoad(run, async () => {
    const count = inputPartitions + random.int(1, 4)
    await admin(run, (it) => it.createPartitions({ topicPartitions: [{ topic: names.EVENTS_TOPICS, count }] }))
    run.count('partitions added', count - inputPartitions)
    await until(() => admin(run, async (it) => (await it.fetchTopicOffsets(names.EVENTS_TOPICS)).length === count), {
      timeoutMs: PATIENCE_MS,
      what: 'the partitions are there',
    })
    await run.send(RECORDS)
  })
  const added = await admin(run, (it) => it.fetchTopicOffsets(names.EVENTS_TOPICS))
  if (added.slice(inputPartitions).every(({ high }) => high === '0'))
    throw new Error('Nothing came to the new partitions')
}

export const scenarios: Scenario[] = [
  { name: 'offsets rewound, offsets gone, another group', play: offsetsGone },
  { name: 'the status topic is compacted hard, and all is read again', play: compactedHard },
  // A consumer looks for new partitions once a minute.
  { name: 'partitions are added to an input topic', play: partitionsAdded, long: true },
]
