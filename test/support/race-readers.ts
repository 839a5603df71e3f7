import { setTimeout as delay } from 'node:timers/promises'
import { expect } from '@jest/globals'
import type { Collection } from 'mongodb'
import type { EventView } from '../../src/contract/api.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { cardOf, EVENTS, idOf, SESSIONS, sessionOf, stays, tokens } from './race-traffic.ts'
import type { Memory, ReadAnswer } from './read-client.ts'

/** Readers of the events of `race-traffic.ts`, by id, by session and by card. */
type Ask = (path: string) => Promise<ReadAnswer>

const PAGE = 5
/** What a client does with an answer takes so long at most. */
const PAUSE_MS = 100

/** One client, until `isDone`. What it should not have seen is told to its memory. */
export async function readRace(ask: Ask, isDone: () => boolean, memory: Memory, reader: number): Promise<void> {
  const random = createRandom(`reader ${reader}`)
  while (!isDone()) {
    // Some are asked for far more often than others.
    const i = Math.floor(EVENTS * random.int(0, 999) ** 2 * 1e-6)
    const choice = random.int(0, 9)
    if (choice < 5) await readEvent(ask, memory, idOf(i))
    else if (choice < 7) await readSession(ask, memory, sessionOf(i))
    else if (choice < 9) await readCard(ask, memory, i)
    else await readPages(ask, memory, i)
    await delay(random.int(0, PAUSE_MS))
  }
}

async function readEvent(ask: Ask, memory: Memory, id: string): Promise<void> {
  const path = `/v1/events/${id}`
  const { status, body, cacheStatus } = await ask(path)
  const where = `${path} (${cacheStatus})`
  if (status === 200) memory.see(body, where)
  else if (status === 410) memory.seeGone(id, where)
  else if (status === 404) memory.miss(id, where)
}

async function readSession(ask: Ask, memory: Memory, session: string): Promise<void> {
  const path = `/v1/sessions/${session}`
  const { status, body, cacheStatus } = await ask(path)
  const isOfSession = (i: number) => sessionOf(i) === session
  if (status === 503) return
  seeList(memory, `${path} (${cacheStatus})`, status === 200 ? body.events : [], isOfSession)
}

/** All events of a card fit on this page. */
async function readCard(ask: Ask, memory: Memory, i: number): Promise<void> {
  const path = `/v1/events?card=${tokens[cardOf(i)]}&limit=500`
  const { status, body, cacheStatus } = await ask(path)
  const isOfCard = (other: number) => cardOf(other) === cardOf(i)
  if (status === 200) seeList(memory, `${path} (${cacheStatus})`, body.events, isOfCard)
}

function seeList(memory: Memory, where: string, events: EventView[], isOfList: (i: number) => boolean): void {
  const ids = new Set(events.map(({ _id }) => _id))
  for (let i = 0; i < EVENTS; i++) {
    if (isOfList(i) && stays(idOf(i)) && !ids.has(idOf(i))) memory.miss(idOf(i), where)
  }
  for (const event of events) memory.see(event, where)
}

async function readPages(ask: Ask, memory: Memory, i: number): Promise<void> {
  let path = `/v1/events?card=${tokens[cardOf(i)]}&limit=${PAGE}`
  for (let pages = 0; pages < 3 && path !== ''; pages++) {
    const { status, body, link } = await ask(path)
    if (status !== 200) return
    const times = body.events.map(({ createdAt }: EventView) => createdAt)
    if (String(times) !== String([...times].sort().reverse())) memory.complain(`${path} is not in order: ${times}`)
    for (const event of body.events) memory.see(event, path)
    path = nextOf(link)
  }
}

const nextOf = (link: string) => /^<(.+)>; rel="next"$/.exec(link)?.[1] ?? ''

/** Every answer is what MongoDB holds, asked twice: from memory too. */
export async function assertAsStored(ask: Ask, documents: Collection<CacheDocument>): Promise<void> {
  const stored = await documents.find({}, { readConcern: 'majority' }).toArray()
  const byId = new Map(stored.map((one) => [one._id, one]))
  expect(stored.length).toBeGreaterThan(EVENTS / 2)
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < EVENTS + 5; i++) await assertEvent(ask, idOf(i), byId.get(idOf(i)))
    for (let i = 0; i < SESSIONS; i++) {
      const wanted = stored.filter(({ cache }) => cache.sessionId === sessionOf(i)).sort(byOrder)
      const { body } = await ask(`/v1/sessions/${sessionOf(i)}`)
      expect((body.events ?? []).map(shownOf)).toEqual(wanted.map(viewOf))
    }
    for (const token of tokens) {
      const wanted = stored.filter(({ card }) => card === token).sort(newestFirst)
      for (const limit of [500, PAGE]) {
        expect((await allPages(ask, `/v1/events?card=${token}&limit=${limit}`)).map(shownOf)).toEqual(
          wanted.map(viewOf),
        )
      }
    }
  }
}

async function assertEvent(ask: Ask, id: string, document: CacheDocument | undefined): Promise<void> {
  const { status, body } = await ask(`/v1/events/${id}`)
  const wanted = document === undefined ? 404 : document.cache.kind === 'tombstone' ? 410 : 200
  expect([id, status]).toEqual([id, wanted])
  if (document !== undefined && wanted === 200) expect(shownOf(body)).toEqual(viewOf(document))
}

async function allPages(ask: Ask, first: string): Promise<EventView[]> {
  const events: EventView[] = []
  for (let path = first; path !== ''; ) {
    const page = await ask(path)
    events.push(...page.body.events)
    path = nextOf(page.link)
  }
  return events
}

const byOrder = (a: CacheDocument, b: CacheDocument) => (a.cache.order < b.cache.order ? -1 : 1)
const newestFirst = (a: CacheDocument, b: CacheDocument) =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a._id < b._id ? 1 : -1)

function shownOf({ facts: _, ...event }: EventView): unknown {
  return event
}

function viewOf({ cache, ...content }: CacheDocument): unknown {
  const { order: _, erased: __, lastSuccess, ...shown } = cache
  const { order: ___, ...success } = lastSuccess ?? {}
  return JSON.parse(JSON.stringify({ ...content, cache: { ...shown, ...(lastSuccess && { lastSuccess: success }) } }))
}
