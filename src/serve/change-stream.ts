/**
 * A change stream, asked for with plain commands, each with its time limit: the driver's own object for it waits for a server that
 * hangs as long as the connection stays, and goes on by itself with what is long past.
 */
import { type ClientSession, type Collection, type Document, Long } from 'mongodb'
// @ts-expect-error the driver has no types for its inner modules.
import { executeOperation } from 'mongodb/lib/operations/execute_operation.js'
// @ts-expect-error
import { Aspect, defineAspects } from 'mongodb/lib/operations/operation.js'
// @ts-expect-error
import { RunCommandOperation } from 'mongodb/lib/operations/run_command.js'
// @ts-expect-error
import { MongoDBNamespace } from 'mongodb/lib/utils.js'
import type { CacheDocument } from '../contract/document.ts'
import { inTime } from './in-time.ts'

export interface ChangeStream {
  /** From the present on. */
  open(): Promise<Document[]>
  /** What came since; empty after AWAIT_MS. @throws when there is no answer within SILENCE_MS. */
  next(): Promise<Document[]>
  close(): void
}

/** An answer comes at least so often; without one for some time the stream is not believed in. */
const AWAIT_MS = 500
export const SILENCE_MS = 3_000
const BATCH = 1_000

export function createChangeStream(
  collection: Collection<CacheDocument>,
  pipeline: readonly Document[],
  signal: AbortSignal,
): ChangeStream {
  const { db, collectionName } = collection
  const session = db.client.startSession()
  let id = Long.ZERO
  let more: Ask = askPrimary
  const ask = (how: Ask, command: Document, until: AbortSignal) =>
    inTime(SILENCE_MS, 'MongoDB told no changes', (late) =>
      how({ collection, command, session, signal: AbortSignal.any([late, until]) }),
    )
  return {
    async open() {
      const cursor = { batchSize: BATCH }
      const readConcern = { level: 'majority' }
      const asked = { aggregate: collectionName, pipeline, cursor, readConcern }
      const { reply, server } = await ask(askPrimary, asked, signal)
      if (server?.description.type === 'Mongos') more = askAgain(server)
      id = reply.cursor.id
      return reply.cursor.firstBatch
    },
    async next() {
      const asked = { getMore: id, collection: collectionName, batchSize: BATCH, maxTimeMS: AWAIT_MS }
      const { cursor } = (await ask(more, asked, signal)).reply
      id = cursor.id
      if (id.isZero()) throw new Error('MongoDB ended the change stream')
      return cursor.nextBatch
    },
    close() {
      const killed = id.isZero()
        ? Promise.resolve()
        : ask(more, { killCursors: collectionName, cursors: [id] }, new AbortController().signal)
      killed.catch(() => {}).finally(() => session.endSession())
    },
  }
}

interface Asked {
  collection: Collection<CacheDocument>
  command: Document
  session: ClientSession
  signal: AbortSignal
}

interface Server {
  description: { type: string }
}

type Ask = (asked: Asked) => Promise<{ reply: Document; server: Server | undefined }>

/**
 * Whoever leads the replica set now. Where another does since, it does not know the stream, and that breaks: a member that was cut off
 * may say for long that there is nothing new.
 */
const askPrimary: Ask = (asked) => run(RunCommandOperation, asked)

/** The same router: the others do not know its streams. The driver offers that to its own cursors only. */
const askAgain =
  (server: Server): Ask =>
  (asked) =>
    run(CommandToSameServer, asked, server)

class CommandToSameServer extends RunCommandOperation {}
defineAspects(CommandToSameServer, [Aspect.MUST_SELECT_SAME_SERVER])

async function run(
  Operation: typeof RunCommandOperation,
  { collection: { db }, command, session, signal }: Asked,
  server?: Server,
) {
  const options = { session, signal, promoteLongs: false }
  const operation = new Operation(new MongoDBNamespace(db.databaseName), command, options)
  if (server !== undefined) operation.server = server
  const reply: Document = await executeOperation(db.client, operation)
  return { reply, server: operation.server as Server | undefined }
}
