import type { MongoClient } from 'mongodb'
import { startConnect } from '../local/native/connect.ts'
import type { NativeService } from '../local/native/process.ts'
import { until } from '../local/until.ts'
import { COLLECTION } from './ours.ts'
import type { Progress } from './window.ts'

/** Kafka Connect with the official MongoDB sink: what people would use instead. */
export interface Peer {
  pids: number[]
  progress(): Promise<Progress>
  stop(): Promise<void>
}

export interface PeerOptions {
  directory: string
  brokers: string
  mongodbUri: string
  mongo: MongoClient
  topic: string
  database: string
  /** Names the consumer group. */
  name: string
}

const TASKS = 4
const PACKAGE = 'com.mongodb.kafka.connect.sink'

/**
 * Its settings, with docs/explanation/speed.md saying why: 4 tasks, JSON without schemas, upserts by the event id.
 * The id of a document is text, as its readers want it: the field `event_id`, renamed.
 */
export const settingsOf = ({ mongodbUri, topic, database }: PeerOptions): Record<string, string> => ({
  'connector.class': 'com.mongodb.kafka.connect.MongoSinkConnector',
  'tasks.max': String(TASKS),
  topics: topic,
  'connection.uri': mongodbUri,
  database,
  collection: COLLECTION,
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
  transforms: 'id',
  'transforms.id.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
  'transforms.id.renames': 'event_id:_id',
  'document.id.strategy': `${PACKAGE}.processor.id.strategy.ProvidedInValueStrategy`,
  'writemodel.strategy': `${PACKAGE}.writemodel.strategy.ReplaceOneDefaultStrategy`,
  'bulk.write.ordered': 'false',
  'max.batch.size': '0',
  'consumer.override.max.poll.records': '500',
  'consumer.override.auto.offset.reset': 'earliest',
})

export async function startPeer(options: PeerOptions): Promise<Peer> {
  const { directory, brokers, mongo, name } = options
  const worker = await startConnect(directory, brokers)
  try {
    const before = await updates(mongo)
    await put(worker, name, settingsOf(options))
    const progress = async () => {
      await assertRunning(worker, name)
      const done = (await updates(mongo)) - before
      return { done, begun: done }
    }
    return { pids: [(await worker.pid()) as number], progress, stop: () => worker.stop() }
  } catch (error) {
    await worker.stop()
    throw error
  }
}

/** mongod counts every statement of a bulk write, also those that change nothing. */
async function updates(mongo: MongoClient): Promise<number> {
  const { opcounters } = await mongo.db('admin').command({ serverStatus: 1, metrics: 0, wiredTiger: 0, tcmalloc: 0 })
  return Number(opcounters.update)
}

async function put({ address }: NativeService, name: string, settings: Record<string, string>): Promise<void> {
  const response = await fetch(`${address}/connectors/${name}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  })
  if (!response.ok) throw new Error(`Kafka Connect refused the connector: ${await response.text()}`)
  const started = async () => (await status(address, name)).tasks.length === TASKS
  await until(started, { timeoutMs: 60_000, what: `the ${TASKS} tasks of the connector run` })
}

interface Status {
  tasks: { state: string; trace?: string }[]
}

async function status(address: string, name: string): Promise<Status> {
  return (await (await fetch(`${address}/connectors/${name}/status`)).json()) as Status
}

let lastLook = 0

/** A task that failed would look like a slow one; one look a second will do. */
async function assertRunning({ address }: NativeService, name: string): Promise<void> {
  if (Date.now() - lastLook < 1_000) return
  lastLook = Date.now()
  const failed = (await status(address, name)).tasks.find(({ state }) => state === 'FAILED')
  if (failed) throw new Error(`A task of the connector failed:\n${failed.trace}`)
}
