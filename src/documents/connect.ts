import { type Collection, MongoClient, type ReadPreference } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import type { Tracing } from '../operate/tracing.ts'
import type { Settings } from '../settings.ts'
import './driver-connection.ts'
import { assertSpreadById } from './spread.ts'
import { traceCommands } from './trace-commands.ts'

/**
 * A client and the cache collection. Nothing is dialled before the first `ping`; once one has succeeded, reconnecting is
 * the driver's. Before that, use nothing else: a client whose first command found no server answers all others with
 * "Topology is closed" until it is told to connect again, which `ping` does.
 */
export interface Mongo extends AsyncDisposable {
  client: MongoClient
  collection: Collection<CacheDocument>
  /** What zones cost, by zone: documents like the others. */
  prices: Collection<CacheDocument>
  /**
   * Where documents may be read that are only shown: what the connection string says (`readPreference`, `readPreferenceTags`,
   * `maxStalenessSeconds`), or else the primary. Everything else asks the primary whatever it says.
   */
  reads: ReadPreference
  /**
   * Connects if need be, and makes one round trip to the primary.
   * @throws within about five seconds when no primary can be reached; when the server is older than 5.0; and when it is a router
   * of a sharded cluster that does not spread the documents by `_id`.
   */
  ping(): Promise<void>
}

/** Wire version of MongoDB 5.0, the first that has what `documents/pipeline.ts` says. */
const OLDEST_WIRE_VERSION = 13

/** What a router of a sharded cluster says of itself. */
const ROUTER = 'isdbgrid'

const PRICES = 'pm_price_objects'

/** A shard key changes seldom, and a ping comes every other second. */
const LOOK_AT_SPREAD_MS = 60_000

/** Connections at once: each of the few chunks at work uses up to four. */
const MOST_CONNECTIONS = 20

/** @throws MongoParseError when the URI cannot be read. */
export function openMongo(settings: Settings['mongodb'], appName: string, tracing: Tracing | null = null): Mongo {
  const client = new MongoClient(withoutReadPreference(settings.uri), {
    appName,
    maxPoolSize: MOST_CONNECTIONS,
    // Short, since the caller waits and comes again, and says meanwhile which service is away.
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 5_000,
    // Longer than a write waits for its majority: a server that hangs is noticed, a slow majority is told as such.
    socketTimeoutMS: 40_000,
    waitQueueTimeoutMS: 10_000,
    readPreference: 'primary',
    readConcernLevel: 'majority',
    writeConcern: { w: 'majority', wtimeoutMS: 20_000 },
    ignoreUndefined: true,
    monitorCommands: tracing !== null,
  })
  if (tracing !== null) traceCommands(client, tracing)
  const db = client.db(settings.database)
  const collection = db.collection<CacheDocument>(settings.collection)
  const prices = db.collection<CacheDocument>(PRICES)
  let seenSpreadAt = 0
  return {
    client,
    collection,
    prices,
    reads: new MongoClient(settings.uri).readPreference,
    async ping() {
      await client.connect()
      const { isWritablePrimary, maxWireVersion, msg } = await db.command({ hello: 1 })
      if (maxWireVersion < OLDEST_WIRE_VERSION) {
        throw new Error(`MongoDB 5.0 or newer is needed; the server speaks wire version ${maxWireVersion}: upgrade it.`)
      }
      if (!isWritablePrimary) throw new Error('MongoDB has no primary at the moment: wait for the election.')
      if (msg === ROUTER && Date.now() - seenSpreadAt > LOOK_AT_SPREAD_MS) {
        for (const one of [collection, prices]) await assertSpreadById(one)
        seenSpreadAt = Date.now()
      }
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** The driver takes neither tags nor a staleness together with the primary, and it is the primary that this client asks. */
function withoutReadPreference(uri: string): string {
  const [address = '', query = ''] = uri.split('?')
  const options = query.split('&').filter((option) => !READ_PREFERENCE.test(option))
  return query === '' ? address : `${address}?${options.join('&')}`
}

const READ_PREFERENCE = /^(readPreference|readPreferenceTags|maxStalenessSeconds)=/i
