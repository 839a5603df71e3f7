import { MongoClient } from 'mongodb'
import { startProcessor } from './processor.ts'
import { produce } from './produce.ts'
import { watchProgress } from './progress.ts'
import { newRunNames } from './run-names.ts'
import { sharedServices, until } from './services.ts'

export type Fields = Record<string, unknown>

/** A processor at work on topics and documents of one test alone, for the read sides beside it. */
export interface ReadStage extends AsyncDisposable {
  /** For a read side. */
  readonly settings: Record<string, string>
  /** Sends events, and waits until their documents are stored. */
  send(...records: Fields[]): Promise<void>
  /** The same of values as they are, without any wait. */
  sendRaw(...values: { key: string; value: string | null }[]): Promise<void>
  documents(): Promise<Fields[]>
}

export async function startReadStage(what: string, more: Record<string, string> = {}): Promise<ReadStage> {
  const { env, mongodbUri } = sharedServices()
  const names = newRunNames(what)
  const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...names, ...more }
  const processor = await startProcessor(settings)
  const mongo = new MongoClient(mongodbUri)
  const collection = mongo.db(names.MONGODB_DATABASE).collection<{ _id: string }>(names.MONGODB_COLLECTION)
  const sendRaw: ReadStage['sendRaw'] = (...values) =>
    produce(
      env.KAFKA_BROKERS,
      names.EVENTS_TOPICS,
      values.map((one) => ({ partition: 0, ...one })),
    )
  return {
    settings,
    sendRaw,
    documents: () => collection.find<Fields>({}).toArray(),
    async send(...records) {
      const ids = records.map(({ event_id }) => String(event_id))
      await sendRaw(...records.map((record, i) => ({ key: ids[i] as string, value: JSON.stringify(record) })))
      await until(async () => (await collection.countDocuments({ _id: { $in: ids } })) === new Set(ids).size, {
        timeoutMs: 30_000,
        what: `the documents of ${ids.slice(0, 5).join(', ')} are stored`,
      })
    },
    async [Symbol.asyncDispose]() {
      await processor.stop()
      await mongo.db(names.MONGODB_DATABASE).dropDatabase()
      await mongo.close()
      await using progress = await watchProgress(env.KAFKA_BROKERS, names)
      await progress.cleanUp()
    },
  }
}
