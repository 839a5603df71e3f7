/** Events as readers need them, from MongoDB: by id, by session, by card. What has expired is not there. */
import type { Collection, Document, Filter, ReadPreference } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { type Asked, askMembers } from './ask-members.ts'
import type { ClusterTime } from './cluster-time.ts'
import type { Cursor } from './cursor.ts'
import { type EventJson, eventOfBytes, type Reading } from './event-view.ts'
import { createGatherer } from './gather.ts'
import { inTime } from './in-time.ts'

export interface EventFinder {
  /** Those of the ids that are there. Ids asked for at the same moment go out as one command. */
  byId(id: string): Promise<EventJson | null>
  /** Of a session, oldest first by observed time; of more than a thousand the newest. */
  bySession(sessionId: string): Promise<EventJson[]>
  /** Of any of these cards, as stored: newest first by the time they were made, then by id; those after `before`. */
  byCard(cards: readonly string[], limit: number, before: Cursor | null): Promise<EventJson[]>
}

/** Events of a session that are read. */
export const MOST_OF_SESSION = 1_000
/** Ids of one command. */
const MOST_IDS = 200
/** Cards of one command, and documents. */
const MOST_CARDS = 32
const MOST_DOCUMENTS = 2_000

/**
 * Read concern snapshot, since a list is read over an index in which documents move while they are changed: a read of the plain
 * majority lets go of its moment now and then, and misses those that have moved to where it has been.
 */
const OPTIONS = { raw: true, readConcern: 'snapshot' } as const

export interface Finding {
  /** Of what was read before: what is read here is not older. */
  time: ClusterTime
  reading: Reading
  /** Which members are asked. */
  reads: ReadPreference
}

export function createEventFinder(collection: Collection<CacheDocument>, finding: Finding): EventFinder {
  const find: Find = askMembers(finding.reads, (asked, ...question: Question) =>
    findFrom(collection, finding, asked, question),
  )
  /** By their limit. */
  const firstPages = new Map<number, ReturnType<typeof createFirstPages>>()
  return {
    byId: createGatherer(MOST_IDS, async (ids) => {
      const found = await find({ _id: { $in: ids } }, {}, ids.length)
      return new Map(found.map((event) => [event.id, event]))
    }),
    async bySession(sessionId) {
      const newest = await find({ 'cache.sessionId': sessionId }, { 'cache.observedAt': -1 }, MOST_OF_SESSION)
      return newest.sort((a, b) => compare(a.version, b.version) || compare(a.id, b.id))
    },
    async byCard(cards, limit, before) {
      const [card] = cards
      if (before !== null || card === undefined || cards.length > 1)
        return pageOf(find, { card: { $in: [...cards] } }, limit, before)
      let firstPage = firstPages.get(limit)
      if (firstPage === undefined) {
        firstPage = createFirstPages(find, limit)
        firstPages.set(limit, firstPage)
      }
      return (await firstPage(card)) ?? []
    },
  }
}

/**
 * First pages of cards, many by one command, which the index gives card by card. Where there are more documents than the pages could
 * hold, a card with many has crowded others out: those that are not known to be whole are asked for one by one.
 */
function createFirstPages(find: Find, limit: number): (card: string) => Promise<EventJson[] | null> {
  const alone = (card: string) => pageOf(find, { card }, limit, null)
  const mostCards = Math.max(1, Math.min(MOST_CARDS, Math.floor(MOST_DOCUMENTS / limit)))
  return createGatherer(mostCards, async (cards) => {
    const [first] = cards
    if (first !== undefined && cards.length === 1) return new Map([[first, await alone(first)]])
    const most = limit * cards.length
    const found = await find({ card: { $in: cards } }, { card: 1, createdAt: -1 }, most)
    const pages = new Map<string, EventJson[]>()
    for (const event of found) {
      const page = pages.get(event.card as string)
      if (page === undefined) pages.set(event.card as string, [event])
      else page.push(event)
    }
    const isCut = found.length === most
    if (isCut) pages.delete(found.at(-1)?.card as string)
    for (const [card, page] of pages) pages.set(card, page.sort(newestFirst).slice(0, limit))
    const missing = isCut ? cards.filter((card) => !pages.has(card)) : []
    for (const [i, page] of (await Promise.all(missing.map(alone))).entries()) pages.set(missing[i] as string, page)
    return pages
  })
}

type Question = [filter: Document, sort: Record<string, 1 | -1>, limit: number]
type Find = (...question: Question) => Promise<EventJson[]>

async function findFrom(
  collection: Collection<CacheDocument>,
  { time, reading }: Finding,
  { reads, ms }: Asked,
  [filter, sort, limit]: Question,
): Promise<EventJson[]> {
  const living = { ...filter, 'cache.expiresAt': { $gt: new Date() } } as Filter<CacheDocument>
  const session = collection.db.client.startSession({ causalConsistency: true })
  const latest = time.latest()
  if (latest !== undefined) session.advanceOperationTime(latest)
  const batchSize = limit + 1
  try {
    const found = await inTime(ms, 'MongoDB did not answer', (signal) =>
      collection
        .find<Uint8Array>(living, {
          ...OPTIONS,
          ...{ readPreference: reads, maxTimeMS: ms, session, signal, sort, limit, batchSize },
        })
        .toArray(),
    )
    time.advance(session.operationTime)
    return found.map((bytes) => eventOfBytes(bytes, reading))
  } finally {
    session.endSession()
  }
}

/** Those of the cursor's own time first, and then those before it. */
async function pageOf(find: Find, ofCards: Document, limit: number, before: Cursor | null): Promise<EventJson[]> {
  if (before === null) return untilPage(find, ofCards, ofCards, limit)
  const { id } = before
  const createdAt = new Date(before.at)
  const tied = await find({ ...ofCards, createdAt, _id: { $lt: id } }, { _id: -1 }, limit)
  if (tied.length === limit) return tied
  return [
    ...tied,
    ...(await untilPage(find, ofCards, { ...ofCards, createdAt: { $lt: createdAt } }, limit - tied.length)),
  ]
}

/** The index orders by time alone: where a page ends between documents of one time, it is asked which of them come first. */
async function untilPage(find: Find, ofCards: Document, filter: Document, limit: number): Promise<EventJson[]> {
  const page = (await find(filter, { createdAt: -1 }, limit)).sort(newestFirst)
  const last = page.at(-1)
  if (last === undefined || page.length < limit) return page
  const later = page.filter(({ at }) => at > last.at)
  return [...later, ...(await find({ ...ofCards, createdAt: new Date(last.at) }, { _id: -1 }, limit - later.length))]
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const newestFirst = (a: EventJson, b: EventJson) => b.at - a.at || compare(b.id, a.id)
