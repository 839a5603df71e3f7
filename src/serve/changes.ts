/**
 * Which documents changed, from MongoDB's change stream: majority committed, so what is read afterwards shows the change. Only ids
 * and what a document is found by come over the line.
 */
import type { ChangeStream, Collection, Document } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { watch } from '../operate/watch.ts'
import { subjectOfCard, subjectOfEvent, subjectOfSession } from './cache/answer.ts'

export interface Changes {
  /** Whether changes are told within moments. */
  isTold(): boolean
}

export interface ChangesOptions {
  collection: Collection<CacheDocument>
  /** Of a subject of the cache. */
  changed: (subject: string) => void
  /** Some may have been missed. */
  allChanged: () => void
  onFailure: (error: Error) => void
  signal: AbortSignal
}

const of = (path: string, field: string) => ({
  $ifNull: [`$fullDocument.${path}`, { $getField: { field, input: '$updateDescription.updatedFields' } }],
})
const PIPELINE = [
  {
    $project: {
      operationType: 1,
      documentKey: 1,
      card: of('card', 'card'),
      session: of('cache.sessionId', 'cache.sessionId'),
    },
  },
]
/** An answer comes at least so often; without one for some time the stream is not believed in. */
const AWAIT_MS = 500
const SILENCE_MS = 3_000
const RETRY_MS = 500
/** The place to go on from is not there any more. */
const LOST = new Set<unknown>([136, 260, 280, 286])
/** What happens to documents; all else happens to the collection. */
const OF_DOCUMENTS = new Set(['insert', 'update', 'replace', 'delete'])

export function followChanges(options: ChangesOptions): Changes {
  const { collection, changed, allChanged, onFailure, signal } = options
  let heardAt = 0
  /** Where to go on; undefined: at the present. */
  let place: unknown

  function tell({ operationType, documentKey, card, session }: Document): void {
    if (!OF_DOCUMENTS.has(operationType)) {
      place = undefined
      throw new Error(`the collection had a ${operationType}`)
    }
    changed(subjectOfEvent(documentKey._id))
    if (typeof card === 'string') changed(subjectOfCard(card))
    if (typeof session === 'string') changed(subjectOfSession(session))
  }

  async function read(stream: ChangeStream): Promise<void> {
    const isNew = place === undefined
    let next = await stream.tryNext() // opens it
    if (isNew) allChanged()
    while (!signal.aborted) {
      heardAt = Date.now()
      if (next !== null) tell(next)
      place = stream.resumeToken
      next = await stream.tryNext()
    }
  }

  watch(RETRY_MS, signal, async () => {
    const resume = place === undefined ? {} : { resumeAfter: place }
    const stream = collection.watch(PIPELINE, { maxAwaitTimeMS: AWAIT_MS, batchSize: 1_000, ...resume })
    const close = () => stream.close().catch(() => {})
    signal.addEventListener('abort', close, { once: true })
    try {
      await read(stream)
    } catch (error) {
      if (signal.aborted) return
      heardAt = 0
      if (LOST.has((error as { code?: unknown }).code)) place = undefined
      onFailure(error as Error)
    } finally {
      signal.removeEventListener('abort', close)
      await close()
    }
  })
  return { isTold: () => Date.now() - heardAt < SILENCE_MS }
}
