/** `serve`: builds the parts of the read side, runs them until a signal, closes them in reverse. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { openMongo } from '../documents/connect.ts'
import { ensureIndexes, INDEXES_OF_SERVE } from '../documents/indexes.ts'
import { createCards } from '../normalize/card-data.ts'
import { createHealth, type Health } from '../operate/health.ts'
import { createLog } from '../operate/log.ts'
import { createOutages, type Outages } from '../operate/outages.ts'
import { createSeldom } from '../operate/seldom.ts'
import { startTracing } from '../operate/start-tracing.ts'
import type { Tracing } from '../operate/tracing.ts'
import { version } from '../operate/version.ts'
import { watch } from '../operate/watch.ts'
import { within } from '../operate/within.ts'
import { openPrimary } from '../primary/primary.ts'
import { traced } from '../primary/traced.ts'
import { createAccess } from '../serve/access/access.ts'
import { subjectOfEvent, subjectOfPrice } from '../serve/cache/answer.ts'
import { createReadThrough, type ReadThrough } from '../serve/cache/read-through.ts'
import { type Changes, followChanges } from '../serve/changes.ts'
import { createClusterTime } from '../serve/cluster-time.ts'
import { startServer } from '../serve/http/server.ts'
import { createBoard } from '../serve/live/board.ts'
import { createDeadLetters, type DeadLetters } from '../serve/live/dead-letters.ts'
import { createLive, type Live } from '../serve/live/live.ts'
import { createServeMetrics, type ServeMetrics } from '../serve/metrics.ts'
import { cacheReport } from '../serve/report.ts'
import { readSettings, type Settings } from '../settings.ts'
import type { Heads } from '../status/heads/heads.ts'
import { headsOpener } from '../status/heads/open.ts'
import { createKafka } from '../stream/client.ts'
import { partitionCount } from '../stream/topics.ts'
import { printHelp, readArguments } from './command-line.ts'
import { explain } from './explain.ts'
import { createUpdateReader } from './read-update.ts'
import { lookUpOf } from './serve/look-up-of.ts'
import { OPTIONS, printNewKey } from './serve/make-key.ts'
import { type Close, type Lifetime, runService } from './service.ts'

export const help = `Usage: pm-parking-events serve
       pm-parking-events serve --make-key ID --scopes SCOPES [--zones ZONES] [--expires DATE]

The read side: answers applications over HTTP from memory, from MongoDB, and from the primary store where one is set
(PRIMARY_MYSQL_URI); streams status updates as they happen; shows a page with what is parked where. Listens on SERVE_HOST
and SERVE_PORT until SIGTERM or SIGINT. GET /docs tells what can be asked.

Without AUTH_KEYS_FILE or JWT_ISSUER everybody may read, so it listens on a loopback address only.

With --make-key it makes an API key, prints it as "key", with its "entry" for the list "keys" of AUTH_KEYS_FILE, and
ends. The key is shown this once; the entry has its digest only.

Options:
  --make-key ID     make a key of this name
  --scopes SCOPES   what it may do: some of events:read, status:read, cards:read, metrics:read, with commas between
  --zones ZONES     only in these zones; left out: in all
  --expires DATE    good until then, ISO 8601; left out: for ever
  -h, --help        this text

Examples:
  KAFKA_BROKERS=localhost:9092 MONGODB_URI=mongodb://localhost:27017 pm-parking-events serve
  curl http://localhost:8080/v1/zones

  pm-parking-events serve --make-key mobile-backend --scopes events:read,status:read --expires 2027-01-01`

const WATCH_MS = 2_000
/** A MongoDB that hangs does not answer a ping, and the driver would wait for it. */
const PING_MS = 3_000
const DAY_MS = 86_400_000
const HISTORY_STEP_MS = 300_000

/** What all parts need. */
interface Common {
  settings: Settings
  log: Logger
  metrics: ServeMetrics
  health: Health
  outages: Outages
  tracing: Tracing | null
  kafka: Kafka
  signal: AbortSignal
  fail: (error: Error) => void
}

export async function run(argv: string[]): Promise<number> {
  const { help: asksForHelp, ...asked } = readArguments(argv, OPTIONS).values
  if (asksForHelp) return printHelp(help)
  if (Object.keys(asked).length > 0) return printNewKey(asked)
  const settings = readSettings(undefined, { needs: ['kafka', 'mongodb', 'access'] })
  const log = createLog(settings.logLevel)
  for (const warning of settings.warnings) log.warn(warning)
  return runService(log, (lifetime) => start(settings, log, lifetime))
}

async function start(settings: Settings, log: Logger, { closing, signal, fail }: Lifetime): Promise<void> {
  const metrics = createServeMetrics()
  const health = createHealth()
  const outages = createOutages(health, metrics, log, explain)
  for (const name of ['kafka', 'mongodb', 'status-topic']) health.set(name, false, 'starting')
  const access = await createAccess(settings.access, log)
  if (!access.required) log.warn('no credentials are configured: everybody on this machine may read everything')
  const tracing = await startTracing(settings.traces, metrics.traceSpans, log)
  closing.push(async () => tracing?.[Symbol.asyncDispose]())
  const kafka = createKafka(settings.kafka, log)
  const common: Common = { settings, log, metrics, health, outages, tracing, kafka, signal, fail }

  const { cache, mongo, time, isTold } = openCache(common, closing)
  const live = startLive(common, cache, closing)
  const primary = settings.primary && openPrimary(settings.primary.uri, { log, onState: metrics.showPrimary })
  if (primary) {
    metrics.showPrimary(primary.state)
    closing.push(async () => primary[Symbol.asyncDispose]())
  }
  const deadLetters = startDeadLetters(common)
  const asked = primary && (tracing ? traced(primary, tracing) : primary)
  const { tokenKey, olderTokenKeys, exemptPaths } = settings.cards
  const cards = createCards({ ...settings.cards, limits: settings.limits })
  const server = await startServer({
    ...{ ...settings.serve, access, live, metrics, health, tracing, log },
    lookUp: lookUpOf(common, { cache, mongo, time, primary: asked, cards }),
    cards: {
      cleanText: cards.cleanText,
      tokenKeys: tokenKey === null ? [] : [tokenKey, ...olderTokenKeys],
      hasExemptPaths: exemptPaths.length > 0,
    },
    report: () => cacheReport({ cache, isTold, live, metrics, primary, mostBytes: settings.serve.cacheBytes }),
    deadLetters: deadLetters.report,
    page: fileURLToPath(new URL('../web', import.meta.url)),
  })
  closing.push(async () => server[Symbol.asyncDispose]())
  watch(1_000, signal, async () => showSizes(metrics, cache, live))
  log.info({ version: version(), port: server.port }, 'started')
}

function openCache(common: Common, closing: Close[]) {
  const { settings, metrics, outages, tracing, log, signal } = common
  const mongo = openMongo(settings.mongodb, settings.kafka.clientId, tracing)
  closing.push(async () => mongo[Symbol.asyncDispose]())
  const changes: Changes[] = []
  const isTold = () => changes.length > 0 && changes.every((one) => one.isTold())
  const cache = createReadThrough({
    mostBytes: settings.serve.cacheBytes,
    isTold,
    onEvicted: () => metrics.evictions.inc(),
  })
  closing.push(async () => cache.close())
  const time = createClusterTime()
  const ping = () => outages.waitOut('mongodb', signal, () => within(PING_MS, mongo.ping()))
  const untold = createSeldom()
  const onFailure = (error: Error) => {
    if (untold.isDue())
      log.warn({ reason: explain('mongodb', error) }, 'MongoDB tells no changes: answers are kept for a second only')
  }
  const prepare = async () => {
    await ping()
    for (const [collection, subjectOf] of [
      [mongo.collection, subjectOfEvent],
      [mongo.prices, subjectOfPrice],
    ] as const) {
      const told = { changed: cache.changed, allChanged: cache.allChanged }
      changes.push(followChanges({ ...{ collection, subjectOf, time, signal }, ...told, onFailure }))
    }
    // Where there are many documents this takes its time.
    ensureIndexes(mongo.collection, INDEXES_OF_SERVE).catch((error: Error) =>
      log.warn(
        { reason: explain('mongodb', error) },
        'the index for sessions cannot be made: looking a session up reads all documents',
      ),
    )
    await watch(WATCH_MS, signal, ping)
  }
  prepare().catch((error) => {
    if (!signal.aborted) common.fail(error)
  })
  return { cache, mongo, time, isTold }
}

/** Follows the status topic from its beginning; answers without it are given meanwhile. */
function startLive(common: Common, cache: ReadThrough, closing: Close[]): Live {
  const { settings, log, metrics, health, outages, kafka, signal, fail } = common
  const topic = settings.topics.status
  const onWait = (error: Error) => log.warn({ reason: error.message }, 'waiting for the schema registry')
  const opener = headsOpener(settings.stateDir && join(settings.stateDir, 'serve'), topic, log)
  const live = createLive({
    ...{ kafka, topic, changed: cache.changed },
    board: createBoard({ keepEndedMs: DAY_MS, historyMs: DAY_MS, stepMs: HISTORY_STEP_MS }),
    readUpdates: createUpdateReader(settings.registry, signal, onWait),
    openHeads: (partition) => emptied(opener, partition),
    onUnreadable: (partition, offset, why) => log.warn({ topic, partition, offset, why }, 'not a status update'),
    onAway: (error) => health.set('kafka', false, explain('kafka', error)),
    onProgress(left) {
      health.set('kafka', true)
      health.set('status-topic', left === 0, left === 0 ? undefined : `${left} updates are still to be read`)
    },
  })
  closing.push(async () => live.close())
  const followIt = async () => {
    const partitions = await outages.waitOut('kafka', signal, () => partitionsOf(kafka, topic))
    watch(1_000, signal, async () => {
      const isThere = live.awaySeconds() === 0
      metrics.dependencyUp.set({ dependency: 'kafka' }, isThere ? 1 : 0)
      if (isThere) health.set('kafka', true)
    })
    await live.run(partitions, signal)
  }
  followIt().catch((error) => {
    if (!signal.aborted) fail(error)
  })
  return live
}

/** Heads are read anew at each start, so what a store on disk has from before is given up. */
function emptied(open: (partition: number) => Heads, partition: number): Heads {
  open(partition).discard()
  return open(partition)
}

async function partitionsOf(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin({ retry: { retries: 0 } })
  try {
    await admin.connect()
    if (!(await admin.listTopics()).includes(topic))
      throw new Error(
        `There is no topic ${topic}: start "process", which makes it, or check STATUS_TOPIC, and that our user may read it`,
      )
    return await partitionCount(admin, topic)
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

function startDeadLetters({ kafka, settings, log, signal }: Common): DeadLetters {
  const letters = createDeadLetters(kafka, settings.topics.deadLetters)
  letters.run(signal).catch((error: Error) => {
    if (!signal.aborted) log.warn({ reason: explain('kafka', error) }, 'dead letters cannot be counted')
  })
  return letters
}

function showSizes(metrics: ServeMetrics, cache: ReadThrough, live: Live): void {
  metrics.entries.set(cache.size)
  metrics.bytes.set(cache.bytes)
  metrics.feedLag.set(live.lag())
  metrics.boardSessions.set(live.board.size)
}
