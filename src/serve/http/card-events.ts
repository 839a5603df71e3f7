/** Pages of a card's events, as their caller may see them. */
import type { Caller } from '../access/access.ts'
import type { Look } from '../cache/read-through.ts'
import { type Cursor, cursorOf, cursorText } from '../cursor.ts'
import type { LookUp } from '../look-up.ts'
import { readableEvents } from './send.ts'

export interface CardQuestion {
  /** As it may be stored. */
  cards: readonly string[]
  limit: number
  before: Cursor | null
}

export interface CardPage {
  look: Look
  /** The events, joined by commas. */
  json: string
  isEmpty: boolean
  /** Of the events, where they are just what the cache has. */
  etag?: string
  /** Where the next page begins; null: there is none. */
  next: string | null
}

/** Events of a look-up for who sees some of them, and how many of these: of a card with more, the oldest are not found. */
const EVENTS = 500
const MOST_LOOKS = 20

export async function cardPage(lookUp: LookUp, question: CardQuestion, caller: Caller): Promise<CardPage> {
  const { cards, limit, before } = question
  if (caller.zones !== null) return pageOfSome(lookUp, question, caller)
  const look = await lookUp.card(cards, limit, before)
  const { json, etag, next, parts } = look.answer
  return { look, json, etag, next, isEmpty: parts.length === 0 }
}

/**
 * Goes on until there are enough events that the caller may see. A page with the others taken out would tell by what is missing, and
 * its cursor by an event's own id, that there are others.
 */
async function pageOfSome(lookUp: LookUp, { cards, limit, before }: CardQuestion, caller: Caller): Promise<CardPage> {
  const events: string[] = []
  let look = await lookUp.card(cards, EVENTS, before)
  for (let looks = 1; ; looks++) {
    events.push(...readableEvents(look.answer, caller))
    const at = look.answer.next === null ? null : cursorOf(look.answer.next)
    if (at === null || events.length > limit || looks === MOST_LOOKS) break
    look = await lookUp.card(cards, EVENTS, at)
  }
  const page = events.slice(0, limit)
  const last = events.length > limit ? page.at(-1) : undefined
  return { look, json: page.join(), next: last === undefined ? null : cursorAt(last), isEmpty: page.length === 0 }
}

function cursorAt(event: string): string {
  const { _id, createdAt } = JSON.parse(event)
  return cursorText({ at: Date.parse(createdAt), id: _id })
}
