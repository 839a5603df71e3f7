import { writeFile } from 'node:fs/promises'
import type { Admin } from 'kafkajs'
import type { RecordType } from '../contract/record.ts'
import { waitOut } from '../operate/wait-out.ts'
import { readSettings, type Settings } from '../settings.ts'
import { openAvro } from '../simulate/avro.ts'
import { createDelivery, type Target } from '../simulate/delivery.ts'
import { isDue, type Pacing, paceByClock, paceByRate, unpaced, waitFor } from '../simulate/pacing.ts'
import { createSummary, type Summary } from '../simulate/summary.ts'
import { traffic } from '../simulate/traffic.ts'
import type { AvroEncoder } from '../simulate/traffic-record.ts'
import { ensureTopics, TopicsError } from '../stream/topics.ts'
import { CommandError, print, printHelp, untilStopped, tell as warn } from './command-line.ts'
import { connect, patiently } from './connect.ts'
import { explain, isDenied } from './explain.ts'
import { parseOptions, type SimulateOptions } from './simulate/options.ts'

export const help = `Usage: pm-parking-events simulate [options]

Sends realistic parking traffic to the first of EVENTS_TOPICS and of RESPONSES_TOPICS: sessions, payments, API answers and
failures, with duplicates, late and malformed records. The same seed and start give the same records to the byte.
Says at the end what it produced.

Options:
  --events N       how many records [10000]; 0, or --rate alone, goes on until stopped
  --rate R         records per second [0: as fast as possible]
  --seed S         any text [1]
  --start TIME     time of the first record [now, less the span of the traffic; printed]
  --encoding E     json, avro, or mixed for half of each [json]; avro needs SCHEMA_REGISTRY_URL
  --duplicates P   share of records that are sent again [0.1]
  --late P         share of records that are delivered late [0.05]
  --malformed P    share of records that nobody can take [0.01]
  --tombstones P   share of records that invalidate a document [0.001]
  --spread P       share of a session's records that go to another partition than the others [0.02]
  --manifest FILE  write what was produced to a file too, as JSON
  --json           for machines: print it as one JSON object
  -h, --help       this text

Example:
  KAFKA_BROKERS=localhost:9092 pm-parking-events simulate --events 50000 --seed autumn --start 2024-10-01T06:00:00Z`

/** Runs `simulate`; 0 when everything was acknowledged, also after a stop. */
export async function run(argv: string[]): Promise<number> {
  const options = parseOptions(argv, Date.now())
  if (options.help) return printHelp(help)
  const settings = readSettings(undefined, { needs: ['kafka'] })
  if (options.traffic.encoding !== 'json' && settings.registry === null) {
    throw new CommandError('Avro needs a schema registry: set SCHEMA_REGISTRY_URL, or use --encoding json')
  }
  const start = new Date(options.traffic.start).toISOString()
  if (!options.json) print(`seed ${options.traffic.seed}, start ${start}`)
  using stopped = untilStopped()
  const summary = await produce(options, settings, stopped.signal)
  const manifest = { ...options.traffic, start, summary }
  if (options.manifest !== null) await writeFile(options.manifest, `${JSON.stringify(manifest, null, 2)}\n`)
  print(options.json ? JSON.stringify(manifest) : tell(summary))
  return 0
}

/** For traffic that is JSON only. */
const noAvro: AvroEncoder = () => {
  throw new Error('Traffic that is JSON only asked for Avro')
}

async function produce(options: SimulateOptions, settings: Settings, signal: AbortSignal): Promise<Summary> {
  const { registry, topics } = settings
  await using connection = await connect(settings, signal)
  // Topics made a moment ago are not known to every broker at once.
  const targets = await waitOut(() => findTargets(connection.admin, settings), {
    signal,
    giveUp: (error) => error instanceof TopicsError || isDenied(error),
    onFailure: (error, _, attempt) => attempt % 10 === 0 && warn(`Waiting for the topics: ${explain('kafka', error)}`),
  })
  const avro = registry === null || options.traffic.encoding === 'json' ? noAvro : await openAvro(registry, topics)
  const producer = connection.kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    retry: { retries: Number.MAX_SAFE_INTEGER },
  })
  await patiently(signal, () => producer.connect())
  try {
    const delivery = createDelivery(producer, targets)
    const summary = createSummary()
    const due = pacingOf(options)
    for (const record of take(traffic(options.traffic, avro), options.events)) {
      const time = due(record.at)
      if (!isDue(time)) {
        // What is ready must not wait with what is not.
        await delivery.flush()
        await waitFor(time, signal)
      }
      if (signal.aborted) break
      summary.count(targets[record.type].topic, record)
      await delivery.add(record)
    }
    await delivery.flush()
    return summary.read()
  } finally {
    await producer.disconnect()
  }
}

/** An endless run happens now; a counted one is a past day, replayed. */
function pacingOf({ events, rate, traffic: { start } }: SimulateOptions): Pacing {
  if (events === null) return paceByClock(start)
  return rate === null ? unpaced : paceByRate(rate)
}

function* take<T>(endless: Iterable<T>, count: number | null): Generator<T> {
  if (count === 0) return
  let taken = 0
  for (const one of endless) {
    yield one
    if (++taken === count) return
  }
}

async function findTargets(admin: Admin, settings: Settings): Promise<Record<RecordType, Target>> {
  await ensureTopics(admin, settings.topics, settings.kafka.brokers)
  const names = [settings.topics.events[0] ?? '', settings.topics.responses[0] ?? ''] as const
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
  const target = (topic: string): Target => ({
    topic,
    partitions: topics.find(({ name }) => name === topic)?.partitions.length ?? 0,
  })
  return { event: target(names[0]), response: target(names[1]) }
}

function tell(summary: Summary): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  return [
    `${summary.records} records (${summary.bytes} bytes) from ${summary.from} to ${summary.to}`,
    `  topics:     ${list(summary.byTopic)}`,
    `  categories: ${list(summary.byCategory)}`,
    `  encodings:  ${list(summary.byEncoding)}`,
    `  types:      ${list(summary.byLabel)}`,
    `  sessions:   ${summary.sessions}; records placed away from their key: ${summary.placed}`,
  ].join('\n')
}
