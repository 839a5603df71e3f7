/**
 * The third walk, that of a question: memory → MongoDB → primary. What only the primary knows is merged into MongoDB as the stream
 * would have merged it, with the row's own time, and makes no observation. A store that fails is an error, or what is kept of
 * before, and never a miss.
 */
import type { CacheDocument } from './contract/document.ts'
import { within } from './operate/within.ts'
import type { Primary } from './primary/primary.ts'
import {
  type Answer,
  etagOf,
  type Part,
  subjectOfCard,
  subjectOfEvent,
  subjectOfPrice,
  subjectOfSession,
} from './serve/cache/answer.ts'
import type { Loaded, Look, LookOutcome, Question, ReadThrough } from './serve/cache/read-through.ts'
import { type Cursor, cursorText } from './serve/cursor.ts'
import { type EventJson, eventOf, type Reading } from './serve/event-view.ts'
import type { Fill } from './serve/fill.ts'
import { type EventFinder, MOST_OF_SESSION } from './serve/find-events.ts'
import type { LookUp } from './serve/look-up.ts'
import { documentsOf, type Reader } from './serve/primary-documents.ts'
import type { Timed } from './serve/timed.ts'

export interface LookUpParts {
  cache: ReadThrough
  finder: EventFinder
  /** Of price objects, by zone. */
  prices: Pick<EventFinder, 'byId'>
  /** Null: there is none. */
  primary: Primary | null
  /** How rows of the primary are read. */
  reader: Reader
  fill: Fill
  reading: Reading
  timed: Timed
  /** Told of each look-up. */
  onLook?: (outcome: LookOutcome | 'error') => void
}

/** Who asks for what only the primary knows waits so long for it to be in MongoDB. */
const FILL_MS = 1_500

export function createLookUp(parts: LookUpParts): LookUp {
  const { cache, finder, timed } = parts
  const inMongo = (ask: Find) => timed('mongodb', ask, some)
  const fromPrimary = createPrimaryLook(parts, inMongo)
  const byId = async (id: string) => listOf(await finder.byId(id))
  const bySession = (id: string) => finder.bySession(id)

  async function load(id: string, find: (id: string) => Promise<EventJson[]>): Promise<Loaded> {
    const found = await inMongo(() => find(id))
    const belongs = found.length < MOST_OF_SESSION ? always : never
    if (some(found) || parts.primary === null) return { answer: answerOf(found), layer: 'mongodb', belongs }
    // In no session is what was invalidated, and what has moved to another one.
    const isKnown = find !== byId && some(await inMongo(() => byId(id)))
    if (isKnown) return { answer: answerOf([]), layer: 'mongodb', belongs }
    const known = await fromPrimary(id, () => find(id), byId)
    return { answer: answerOf(known), layer: 'primary', belongs }
  }

  async function loadCard(cards: readonly string[], limit: number, before: Cursor | null): Promise<Loaded> {
    // One more tells whether there is a next page.
    const found = await inMongo(() => finder.byCard(cards, limit + 1, before))
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    const end = last ? { at: last.at, id: last.id } : null
    const belongs = (part: Part) => (before === null || isOlder(part, before)) && (end === null || !isOlder(part, end))
    return { answer: answerOf(page, end && cursorText(end)), layer: 'mongodb', belongs }
  }

  async function loadPrice(zone: string): Promise<Loaded> {
    const found = await inMongo(async () => listOf(await parts.prices.byId(zone)))
    const prices = found.map((price) => ({ ...price, zone }))
    return { answer: answerOf(prices, null, subjectOfPrice), layer: 'mongodb', belongs: always }
  }

  async function look(question: Question): Promise<Look> {
    try {
      const found = await cache.look(question)
      parts.onLook?.(found.outcome)
      return found
    } catch (error) {
      parts.onLook?.('error')
      throw error
    }
  }

  return {
    event: (id) => look({ key: subjectOfEvent(id), subjects: [subjectOfEvent(id)], load: () => load(id, byId) }),
    session: (id) =>
      look({
        key: subjectOfSession(id),
        subjects: [subjectOfSession(id), ...(parts.primary ? [subjectOfEvent(id)] : [])],
        load: () => load(id, bySession),
      }),
    price: (zone) => look({ key: subjectOfPrice(zone), subjects: [subjectOfPrice(zone)], load: () => loadPrice(zone) }),
    card: (cards, limit, before) =>
      look({
        key: `l:${limit}:${before === null ? '' : cursorText(before)}:${cards.join('\n')}`,
        subjects: cards.map(subjectOfCard),
        // An event that gets an earlier createdAt moves to another page, which nobody tells that page.
        briefly: before !== null,
        load: () => loadCard(cards, limit, before),
      }),
  }
}

type Find = () => Promise<EventJson[]>

/** What the primary knows of a session: as it is in MongoDB after it was merged into that, or as the primary has it. */
function createPrimaryLook(
  { primary, timed, fill, reader, reading }: LookUpParts,
  inMongo: (ask: Find) => Promise<EventJson[]>,
) {
  async function stored(
    known: CacheDocument[],
    events: EventJson[],
    find: Find,
    byId: (id: string) => Promise<EventJson[]>,
  ) {
    const now = Date.now()
    // What has expired is shown, and not stored.
    await fill(known.filter(({ cache }) => cache.expiresAt.getTime() > now))
    const found = await inMongo(find)
    if (some(found)) return found
    const lists = await Promise.all(events.map(({ id }) => inMongo(() => byId(id))))
    return events.filter((_, i) => !some(lists[i] ?? []))
  }

  return async (id: string, find: Find, byId: (id: string) => Promise<EventJson[]>): Promise<EventJson[]> => {
    if (primary === null) return []
    const rows = await timed('primary', () => primary.rows(id), some)
    const known = documentsOf(rows, reader, Date.now())
    if (!some(known)) return []
    const events = known.map((document) => eventOf(document, reading))
    // Where MongoDB fails here, or takes long, the primary has answered.
    return within(FILL_MS, stored(known, events, find, byId)).catch(() => events)
  }
}

const some = (found: readonly unknown[]) => found.length > 0
const always = () => true
const never = () => false
const listOf = (found: EventJson | null) => (found === null ? [] : [found])

/** Whether it comes after a place in a list that has the newest first. */
const isOlder = (part: Part, { at, id }: Cursor) =>
  part.at < at || (part.at === at && part.subject < subjectOfEvent(id))

function answerOf(events: EventJson[], next: string | null = null, subjectOf = subjectOfEvent): Answer {
  const json = events.map((event) => event.json).join(',')
  let end = -1
  const parts = events.map(({ id, version, at, zone, session, card, isGone, json: { length } }) => {
    end += 1 + length
    const lists: string[] = []
    if (session !== null) lists.push(subjectOfSession(session))
    if (card !== null) lists.push(subjectOfCard(card))
    return { subject: subjectOf(id), version, at, zone, lists, isGone, end }
  })
  return { json, parts, next, etag: etagOf(json) }
}
