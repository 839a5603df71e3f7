/** `process`: builds the parts of the stream processor, runs them until a signal, closes them in reverse. */
import { setFlagsFromString } from 'node:v8'
import type { Admin, Kafka, Producer } from 'kafkajs'
import type { Logger } from 'pino'
import { createDecoder } from '../decode/decoder.ts'
import { createSchemaReader } from '../decode/registry.ts'
import { openMongo } from '../documents/connect.ts'
import { createSealer, type Sealer } from '../documents/encryption.ts'
import { ensureIndexes, INDEXES_OF_PRICES } from '../documents/indexes.ts'
import { createStore } from '../documents/store.ts'
import { createIngest } from '../ingest.ts'
import { createCards } from '../normalize/card-data.ts'
import { type Clock, clockOf } from '../normalize/time-zone.ts'
import { createHealth, type Health } from '../operate/health.ts'
import { startOpsServer } from '../operate/http.ts'
import { createLog } from '../operate/log.ts'
import { createMetrics, type Metrics } from '../operate/metrics.ts'
import { createOutages, type Outages } from '../operate/outages.ts'
import { startTracing } from '../operate/start-tracing.ts'
import type { Tracing } from '../operate/tracing.ts'
import { version } from '../operate/version.ts'
import { watch } from '../operate/watch.ts'
import { environment, readSettings, type Settings } from '../settings.ts'
import { createStatusCodec } from '../status/codec.ts'
import { headsOpener } from '../status/heads/open.ts'
import { createStatusStage } from '../status.ts'
import { createKafka } from '../stream/client.ts'
import { type PartitionConsumer, type PartitionConsumerOptions, startPartitionConsumer } from '../stream/consumer.ts'
import { readLag } from '../stream/lag.ts'
import { newestTimestamp } from '../stream/newest-timestamp.ts'
import { isIncompatible } from '../stream/register-schema.ts'
import { ensureTopics, partitionCount, TopicsError } from '../stream/topics.ts'
import { printHelp, readArguments } from './command-line.ts'
import { explain } from './explain.ts'
import { type Close, type Lifetime, runService } from './service.ts'

export const help = `Usage: pm-parking-events process [--stages ingest,status]

Reads parking events and API responses, writes cache documents to MongoDB and publishes status updates to Kafka, until
SIGTERM or SIGINT; it then finishes and commits what is in flight. A second signal ends it at once.

Options:
  --stages LIST  run one stage, or both: ingest,status (overrides STAGES)
  -h, --help     this text

Example:
  KAFKA_BROKERS=localhost:9092 MONGODB_URI=mongodb://localhost:27017 pm-parking-events process`

const WATCH_MS = 10_000
/** On the few processors of a container, V8's helpers of a minor collection cost more than they take over. */
const V8_FLAGS = '--no-parallel-scavenge'

/** What both stages need. */
interface Common {
  settings: Settings
  log: Logger
  metrics: Metrics
  health: Health
  outages: Outages
  tracing: Tracing | null
  kafka: Kafka
  admin: Admin
  producer: Producer
  lanes: number
  deadLetterPartitions: number
  openHeads: ReturnType<typeof headsOpener>
  decoder: ReturnType<typeof createDecoder>
  cards: ReturnType<typeof createCards>
  zone: Clock | null
  seal: Sealer
  signal: AbortSignal
  onDead: (error: Error) => void
}

export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments(argv, { stages: { type: 'string' } })
  if (values.help) return printHelp(help)
  const env = { ...environment(), ...(values.stages !== undefined && { STAGES: values.stages }) }
  const settings = readSettings(env, { needs: env.STAGES?.trim() === 'status' ? ['kafka'] : ['kafka', 'mongodb'] })
  const log = createLog(settings.logLevel)
  for (const warning of settings.warnings) log.warn(warning)
  setFlagsFromString(V8_FLAGS)
  return runService(log, (lifetime) => start(settings, log, lifetime))
}

/** Starts part by part, each with its closing; throws when `signal` aborts in between, or waiting cannot help. */
async function start(settings: Settings, log: Logger, { closing, signal, fail }: Lifetime): Promise<void> {
  const openHeads = headsOpener(settings.stateDir, settings.topics.status, log)
  const metrics = createMetrics()
  const health = createHealth()
  const outages = createOutages(health, metrics, log, explain)
  const { ingest, status } = settings.stages
  for (const name of ['kafka', ...(status ? ['status'] : []), ...(ingest ? ['mongodb', 'ingest'] : [])]) {
    health.set(name, false, 'starting')
  }
  const server = await startOpsServer({ ...settings.http, metrics, health, log })
  closing.push(async () => server[Symbol.asyncDispose]())
  const tracing = await startTracing(settings.traces, metrics.traceSpans, log)
  closing.push(async () => tracing?.[Symbol.asyncDispose]())
  log.info({ version: version(), port: server.port, stages: settings.stages }, 'starting')

  const kafka = createKafka(settings.kafka, log)
  const admin = kafka.admin()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  closing.push(() => Promise.all([admin.disconnect(), producer.disconnect()]))
  const prepare = async () => {
    await Promise.all([admin.connect(), producer.connect()])
    const lanes = await ensureTopics(admin, settings.topics, settings.kafka.brokers)
    return { lanes, deadLetterPartitions: await partitionCount(admin, settings.topics.deadLetters) }
  }
  // What it is not allowed it waits for, and says so: brokers whose users are not made yet, or whose directory is away, say the same.
  const partitions = await outages.waitOut('kafka', signal, prepare, (error) => error instanceof TopicsError)
  const onDead = (error: Error) => {
    health.dead(`a consumer ended: ${error.message}`)
    fail(error)
  }
  const common: Common = {
    ...{ settings, log, metrics, health, outages, tracing, kafka, admin, producer, openHeads, signal, onDead },
    ...partitions,
    decoder: createDecoder(settings.registry && createSchemaReader(settings.registry)),
    cards: createCards({ ...settings.cards, limits: settings.limits }),
    zone: settings.timeZone === null ? null : clockOf(settings.timeZone),
    seal: createSealer(settings.encryption.paths, settings.encryption.keys),
  }
  watch(WATCH_MS, signal, () => showLag(common))
  const consumers: PartitionConsumer[] = []
  const starting = [...(status ? [startStatus] : []), ...(ingest ? [startIngest] : [])]
  const opened: Close[] = []
  closing.push(async () => {
    for (const close of opened.reverse()) await close()
  })
  closing.push(() => Promise.all(consumers.map((consumer) => consumer.stop())))
  for (const startStage of starting) {
    signal.throwIfAborted()
    consumers.push(await startStage(common, opened))
  }
}

async function startIngest(common: Common, closing: Close[]): Promise<PartitionConsumer> {
  const { settings, health, metrics, outages, tracing, kafka, log, signal, onDead } = common
  const mongo = openMongo(settings.mongodb, settings.kafka.clientId, tracing)
  closing.push(async () => mongo[Symbol.asyncDispose]())
  await outages.waitOut('mongodb', signal, async () => {
    await mongo.ping()
    await ensureIndexes(mongo.collection)
    await ensureIndexes(mongo.prices, INDEXES_OF_PRICES)
  })
  watch(WATCH_MS, signal, () => outages.waitOut('mongodb', signal, () => mongo.ping()))
  const options: PartitionConsumerOptions = {
    ...{ kafka, log, onDead },
    groupId: `${settings.kafka.groupId}-ingest`,
    topics: [...settings.topics.events, ...settings.topics.responses],
    onBatch: createIngest({ ...common, store: createStore(mongo.collection), prices: createStore(mongo.prices) }),
    onAssignment: (memberId, _, why) => showJoined(health, metrics, 'ingest', memberId, why),
  }
  return outages.waitOut('kafka', signal, () => startPartitionConsumer(options))
}

async function startStatus(common: Common, closing: Close[]): Promise<PartitionConsumer> {
  const { settings, health, metrics, outages, kafka, admin, log, signal, cards, onDead } = common
  const { topics, registry, retentionMs, chunkRecords } = settings
  const groupId = `${settings.kafka.groupId}-status`
  const createCodec = () => createStatusCodec(registry, topics.status, common.decoder)
  const codec = await (registry ? outages.waitOut('registry', signal, createCodec, isIncompatible) : createCodec())
  const seen = { kafka, admin, topic: topics.observations }
  let consumer: PartitionConsumer | undefined
  const stage = createStatusStage({
    ...common,
    group: groupId,
    rejoin: (backoffMs) => consumer?.rejoin(backoffMs),
    lane: {
      ...{ kafka, codec, log, topic: topics.status, partitions: common.lanes, retentionMs },
      openHeads: common.openHeads,
      newestSeen: (partition, laneSignal) => newestTimestamp(seen, partition, laneSignal),
    },
    deadLetterTopic: topics.deadLetters,
    cards,
    chunkRecords,
  })
  closing.push(() => stage.close())
  const options: PartitionConsumerOptions = {
    ...{ kafka, log, groupId, onDead },
    topics: [topics.observations],
    onBatch: stage.onBatch,
    onAssignment(memberId, assignment, why) {
      showJoined(health, metrics, 'status', memberId, why)
      stage.assign(memberId, assignment[topics.observations] ?? [])
    },
  }
  consumer = await outages.waitOut('kafka', signal, () => startPartitionConsumer(options))
  return consumer
}

function showJoined(
  health: Health,
  metrics: Metrics,
  stage: 'ingest' | 'status',
  memberId: string | null,
  why: string | undefined,
): void {
  if (memberId === null) {
    health.set(stage, false, `is not a member of its consumer group${why === undefined ? '' : `: ${why}`}`)
  } else {
    health.set(stage, true)
    metrics.rebalances.inc({ stage })
  }
}

/** Lag from the broker's own figures; not knowing it means that Kafka is away. */
async function showLag({ settings, outages, metrics, admin, signal }: Common): Promise<void> {
  const { groupId } = settings.kafka
  const groups: [string, string[]][] = []
  if (settings.stages.ingest)
    groups.push([`${groupId}-ingest`, [...settings.topics.events, ...settings.topics.responses]])
  if (settings.stages.status) groups.push([`${groupId}-status`, [settings.topics.observations]])
  for (const [group, topics] of groups) {
    for (const { topic, partition, lag } of await outages.waitOut('kafka', signal, () =>
      readLag(admin, group, topics),
    )) {
      metrics.consumerLag.set({ group, topic, partition }, lag)
    }
  }
}
