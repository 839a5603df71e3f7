/**
 * Which documents changed, from MongoDB's change stream: majority committed, so what is read afterwards shows the change. Only ids
 * and what a document is found by come over the line.
 *
 * After any break all counts as changed, and nothing needs to be made up for.
 */
import type { Collection, Document, Timestamp } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { watch } from '../operate/watch.ts'
import { within } from '../operate/within.ts'
import { subjectOfCard, subjectOfSession } from './cache/answer.ts'
import { type ChangeStream, createChangeStream, SILENCE_MS } from './change-stream.ts'
import type { ClusterTime } from './cluster-time.ts'
import { learnNewestTime } from './newest-time.ts'

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
const RETRY_MS = 500
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
  const isAtPresent = (at: Timestamp | undefined) =>
    at === undefined || (time.latest()?.t ?? 0) - at.t <= SILENCE_MS / 1_000

  async function read(stream: ChangeStream): Promise<void> {
    let batch = await stream.open()
    // What happened up to here is not told, and must be in what is read from here on.
    await within(SILENCE_MS, learnNewestTime(collection.db, time))
    allChanged()
    while (!signal.aborted) {
      const at: Timestamp | undefined = batch.at(-1)?.clusterTime
      // First: who reads because of what is told must see it, also on a member that is behind.
      time.advance(at)
      for (const one of batch) tell(one)
      if (isAtPresent(at)) heardAt = performance.now()
      batch = await stream.next()
    }
  }

  watch(RETRY_MS, signal, async () => {
    const stream = createChangeStream(collection, PIPELINE, signal)
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
