/**
 * The third walk, that of a question: memory → MongoDB → primary. What only the primary knows is merged into MongoDB as the stream
 * would have merged it, with the row's own time, and makes no observation. A store that fails is an error, or what is kept of
 * before, and never a miss.
 */
import { createHash } from 'node:crypto'
import type { CacheDocument } from './contract/document.ts'
import type { Sealer } from './documents/encryption.ts'
import { merge } from './documents/merge.ts'
import type { DocumentStore } from './documents/store.ts'
import type { Cards } from './normalize/card-data.ts'
import { normalize } from './normalize/normalize.ts'
import { toDocument } from './normalize/place.ts'
import type { Primary, PrimaryRow } from './primary/primary.ts'
import { type Answer, subjectOfCard, subjectOfEvent, subjectOfSession } from './serve/cache/answer.ts'
import type { Loaded, Look, Question, ReadThrough } from './serve/cache/read-through.ts'
import { cursorText } from './serve/cursor.ts'
import { type EventJson, eventJson, type Reading } from './serve/event-view.ts'
import type { EventFinder } from './serve/find-events.ts'
import type { LookUp } from './serve/look-up.ts'

export interface LookUpParts {
  cache: ReadThrough
  finder: EventFinder
  /** Where what the primary knows is merged into. */
  store: Pick<DocumentStore, 'write'>
  /** Null: there is none. */
  primary: Primary | null
  cards: Cards
  seal: Sealer
  reading: Reading
  retentionMs: number
  /** Told of each question to a store. */
  timed: <T>(layer: 'mongodb' | 'primary', ask: () => Promise<T>, isHit: (found: T) => boolean) => Promise<T>
  /** Told of each look-up. */
  onLook?: (look: Look) => void
  now?: () => number
}

export function createLookUp(parts: LookUpParts): LookUp {
  const { cache, finder, primary, timed } = parts
  const view = (document: CacheDocument) => eventJson(document, parts.reading)

  const some = (found: CacheDocument[]) => found.length > 0
  const inMongo = (ask: () => Promise<CacheDocument[]>) => timed('mongodb', ask, some)

  /** `find` again after the primary was asked: what is shown is what is stored, if it could be. */
  async function load(sessionId: string, find: () => Promise<CacheDocument[]>): Promise<Loaded> {
    const found = await inMongo(find)
    if (some(found) || primary === null) return { answer: answerOf(found.map(view)), layer: 'mongodb' }
    const rows = await timed(
      'primary',
      () => primary.rows(sessionId),
      (those) => those.length > 0,
    )
    if (rows.length === 0) return { answer: answerOf([]), layer: 'primary' }
    const known = documentsOf(rows, parts)
    const stored = await fill(known, parts).then(find, () => [])
    return { answer: answerOf((some(stored) ? stored : known).map(view)), layer: 'primary' }
  }

  async function look(question: Question): Promise<Look> {
    const found = await cache.look(question)
    parts.onLook?.(found)
    return found
  }

  const byId = async (id: string) => {
    const found = await finder.byId(id)
    return found === null ? [] : [found]
  }

  return {
    event: (id) =>
      look({ key: subjectOfEvent(id), subjects: [subjectOfEvent(id)], load: () => load(id, () => byId(id)) }),
    session: (id) =>
      look({
        key: subjectOfSession(id),
        subjects: [subjectOfSession(id)],
        load: () => load(id, () => finder.bySession(id)),
      }),
    card: (cards, limit, before) =>
      look({
        key: `l:${limit}:${before === null ? '' : cursorText(before)}:${cards.join('\n')}`,
        subjects: cards.map(subjectOfCard),
        load: async () => {
          // One more tells whether there is a next page.
          const found = await inMongo(() => finder.byCard(cards, limit + 1, before))
          const page = found.slice(0, limit)
          const last = found.length > limit ? page.at(-1) : undefined
          const next = last ? cursorText({ at: last.createdAt, id: last._id }) : null
          return { answer: answerOf(page.map(view), next), layer: 'mongodb' }
        },
      }),
  }
}

function answerOf(events: EventJson[], next: string | null = null): Answer {
  const json = events.map((event) => event.json).join(',')
  let end = -1
  const parts = events.map(({ json: { length }, ...event }) => {
    end += 1 + length
    return { ...event, end }
  })
  return { json, parts, next, etag: `"${createHash('sha1').update(json).digest('base64url')}"` }
}

/** Rows as documents, one for an id. What cannot be taken is left out, as a dead letter would be. */
function documentsOf(rows: readonly PrimaryRow[], { cards, seal, reading, retentionMs }: LookUpParts): CacheDocument[] {
  const documents = new Map<string, CacheDocument>()
  for (const { record, createdAt, updatedAt } of rows) {
    const normalized = normalize('event', null, record, cards, reading.clock)
    if ('reject' in normalized) continue
    const source = {
      topic: PRIMARY,
      partition: 0,
      offset: '0',
      timestamp: updatedAt,
      key: null,
      value: null,
      headers: {},
    }
    const content = seal(normalized.id, normalized.content)
    const document = toDocument({ ...normalized, content }, source, updatedAt, retentionMs)
    document.createdAt = new Date(createdAt)
    const known = documents.get(document._id)
    documents.set(document._id, known === undefined ? document : merge(known, document))
  }
  return [...documents.values()]
}

/** Stands for the topic of a record in `cache.source`; no topic of Kafka may have this name. */
const PRIMARY = 'primary:pm_parking_event'

/** What has expired is shown, and not stored. */
async function fill(documents: CacheDocument[], { store, now = Date.now }: LookUpParts): Promise<void> {
  const living = documents.filter(({ cache }) => cache.expiresAt.getTime() > now())
  if (living.length > 0) await store.write(living, new Map())
}
