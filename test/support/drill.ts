import { BSON, MongoClient } from 'mongodb'
import { until } from '../../local/until.ts'
import { compareRun, type Report, type RunServices } from './compare.ts'
import { readTopic } from './judge.ts'
import { launchProcessor, type Processor, startProcessor } from './processor.ts'
import { produce } from './produce.ts'
import { watchProgress } from './progress.ts'
import type { RunNames } from './run-names.ts'
import { makeTopics } from './run-topics.ts'
import { simulate, TOKEN_KEY } from './run-traffic.ts'
import { withoutSeals } from './seal.ts'

/** The names that settings have by default, which the pages of docs/how-to use: a drill has services of its own. */
export const NAMES: RunNames = {
  KAFKA_GROUP_ID: 'pm-parking-events',
  EVENTS_TOPICS: 'parkmobile.events',
  RESPONSES_TOPICS: 'parkmobile.responses',
  OBSERVATIONS_TOPIC: 'parkmobile.observations',
  STATUS_TOPIC: 'parkmobile.status-updates',
  DEAD_LETTER_TOPIC: 'parkmobile.dead-letters',
  MONGODB_DATABASE: 'dataset',
  MONGODB_COLLECTION: 'pm_parking_events',
}

export const PARTITIONS = { inputPartitions: 2, lanes: 3 }

/** What an operator has, who tries a page out. */
export interface Drill {
  /** Settings of a processor or a read side. */
  readonly env: Record<string, string>
  /** Sends simulated traffic; each seed makes other records. */
  send(events: number, seed: string, more?: Record<string, string | number>): Promise<void>
  /** Sends events of one's own, in this order. */
  sendEvents(...events: Record<string, unknown>[]): Promise<void>
  start(extra?: Record<string, string>): Promise<Processor>
  /** Waits until all records are worked off. */
  caughtUp(): Promise<void>
  /** One processor from here on, until all records are worked off. */
  workOff(extra?: Record<string, string>): Promise<string>
  /** Documents by id, as text. */
  documents(): Promise<Map<string, string>>
  /** Updates as another client reads them: partition, key and id of each, in order. */
  updates(): Promise<string[]>
  /** Compares all that is there with the model. Nothing may run or be written any more. */
  judge(): Promise<Report>
}

const PATIENCE_MS = 60_000

export async function openDrill(services: RunServices): Promise<Drill> {
  const { KAFKA_BROKERS: brokers, MONGODB_URI } = services
  const env = { KAFKA_BROKERS: brokers, MONGODB_URI, CARD_TOKEN_KEY: TOKEN_KEY, ...NAMES }
  await makeTopics(brokers, NAMES, PARTITIONS)
  const caughtUp = async (stages = 'ingest,status') => {
    await using progress = await watchProgress(brokers, NAMES)
    if (stages !== 'ingest') return progress.caughtUp(PATIENCE_MS)
    const what = 'ingest has committed all records'
    await until(async () => (await progress.left()) === 0, { timeoutMs: PATIENCE_MS, what, everyMs: 200 })
  }
  return {
    ...{ env, caughtUp: () => caughtUp() },
    send: (events, seed, more) => simulate(services, NAMES, { events, seed, encoding: 'json' }, more),
    sendEvents: (...events) =>
      produce(
        brokers,
        NAMES.EVENTS_TOPICS,
        events.map((event) => ({ partition: 0, key: String(event.event_id), value: JSON.stringify(event) })),
      ),
    start: (extra = {}) => startProcessor({ ...env, ...extra }),
    async workOff(extra = {}) {
      await using processor = launchProcessor({ ...env, ...extra })
      await caughtUp(extra.STAGES).catch((error) => {
        throw new Error(`${error.message}\n${processor.log()}`)
      })
      await processor.stop()
      return processor.log()
    },
    documents: () => documentsOf(MONGODB_URI),
    async updates() {
      const updates: string[] = []
      const records = readTopic(brokers, NAMES.STATUS_TOPIC, { transactional: true })
      for await (const { partition, key, headers } of withoutSeals(records))
        updates.push(`${partition} ${key} ${headers.ce_id}`)
      return updates
    },
    judge: () => compareRun(services, NAMES, TOKEN_KEY),
  }
}

async function documentsOf(uri: string): Promise<Map<string, string>> {
  const client = new MongoClient(uri, { promoteValues: false })
  try {
    const documents = await client.db(NAMES.MONGODB_DATABASE).collection(NAMES.MONGODB_COLLECTION).find().toArray()
    return new Map(documents.map((one) => [String(one._id), BSON.EJSON.stringify(one, { relaxed: false })]))
  } finally {
    await client.close()
  }
}
