/**
 * Which documents changed, from MongoDB's change stream: majority committed, so what is read afterwards shows the change. Only ids
 * and what a document is found by come over the line.
 *
 * The stream is asked for with plain commands, each with its time limit: the driver's own object for it waits for a server that hangs
 * as long as the connection stays, and goes on by itself with what is long past. After any break all counts as changed, and
 * nothing needs to be made up for.
 */
import { type Collection, type Document, Long, type Timestamp } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { watch } from '../operate/watch.ts'
import { subjectOfCard, subjectOfSession } from './cache/answer.ts'
import type { ClusterTime } from './cluster-time.ts'
import { inTime } from './in-time.ts'

export interface Changes {
  /** Whether changes are told within moments. */
  isTold(): boolean
}

export interface ChangesOptions {
  collection: Collection<CacheDocument>
  /** Moves on with what is told. */
  time: ClusterTime
  /** What a document of the collection is to the cache. */
  subjectOf: (id: string) => string
  /** Of a subject of the cache. */
  changed: (subject: string) => void
  /** Some may have been missed. */
  allChanged: () => void
  onFailure: (error: Error) => void
  signal: AbortSignal
}

/** Of an insert or a replacement in the whole document; of an update under its path, or in an object that is new as a whole. */
const of = (path: string) => ({
  $ifNull: [
    `$fullDocument.${path}`,
    { $getField: { field: path, input: '$updateDescription.updatedFields' } },
    `$updateDescription.updatedFields.${path}`,
  ],
})
const PIPELINE = [
  { $changeStream: {} },
  {
    $project: { operationType: 1, documentKey: 1, clusterTime: 1, card: of('card'), session: of('cache.sessionId') },
  },
]
/** An answer comes at least so often; without one for some time the stream is not believed in. */
const AWAIT_MS = 500
const SILENCE_MS = 3_000
const RETRY_MS = 500
const BATCH = 1_000
/** What happens to documents; all else happens to the collection. */
const OF_DOCUMENTS = new Set(['insert', 'update', 'replace', 'delete'])

export function followChanges(options: ChangesOptions): Changes {
  const { collection, time, subjectOf, changed, allChanged, onFailure, signal } = options
  let heardAt = Number.NEGATIVE_INFINITY

  function tell({ operationType, documentKey, card, session }: Document): void {
    if (!OF_DOCUMENTS.has(operationType)) throw new Error(`the collection had a ${operationType}`)
    changed(subjectOf(documentKey._id))
    if (typeof card === 'string') changed(subjectOfCard(card))
    if (typeof session === 'string') changed(subjectOfSession(session))
  }

  /** Where more changes than can be told, the stream falls behind what is read. */
  function isAtPresent(batch: readonly Document[]): boolean {
    const at: Timestamp | undefined = batch.at(-1)?.clusterTime
    time.advance(at)
    return at === undefined || (time.latest()?.t ?? 0) - at.t <= SILENCE_MS / 1_000
  }

  async function read(stream: Stream): Promise<void> {
    let batch = await stream.open()
    allChanged()
    while (!signal.aborted) {
      for (const one of batch) tell(one)
      if (isAtPresent(batch)) heardAt = performance.now()
      batch = await stream.next()
    }
  }

  watch(RETRY_MS, signal, async () => {
    const stream = createStream(collection, signal)
    try {
      await read(stream)
    } catch (error) {
      heardAt = Number.NEGATIVE_INFINITY
      if (!signal.aborted) onFailure(error as Error)
    } finally {
      stream.close()
    }
  })
  return { isTold: () => performance.now() - heardAt < SILENCE_MS }
}

interface Stream {
  /** From the present on. */
  open(): Promise<Document[]>
  /** What came since; empty after AWAIT_MS. @throws when there is no answer within SILENCE_MS. */
  next(): Promise<Document[]>
  close(): void
}

function createStream(collection: Collection<CacheDocument>, signal: AbortSignal): Stream {
  const { db, collectionName } = collection
  const session = db.client.startSession()
  let id = Long.ZERO
  const ask = (command: Document, until: AbortSignal) =>
    inTime(SILENCE_MS, 'MongoDB told no changes', (late) =>
      db.command(command, { session, promoteLongs: false, signal: AbortSignal.any([late, until]) }),
    )
  return {
    async open() {
      const cursor = { batchSize: BATCH }
      const readConcern = { level: 'majority' }
      const reply = await ask({ aggregate: collectionName, pipeline: PIPELINE, cursor, readConcern }, signal)
      id = reply.cursor.id
      return reply.cursor.firstBatch
    },
    async next() {
      const more = { getMore: id, collection: collectionName, batchSize: BATCH, maxTimeMS: AWAIT_MS }
      const { cursor } = await ask(more, signal)
      id = cursor.id
      if (id.isZero()) throw new Error('MongoDB ended the change stream')
      return cursor.nextBatch
    },
    close() {
      const killed = id.isZero()
        ? Promise.resolve()
        : ask({ killCursors: collectionName, cursors: [id] }, new AbortController().signal)
      killed.catch(() => {}).finally(() => session.endSession())
    },
  }
}
