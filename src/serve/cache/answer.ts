import { hash } from 'node:crypto'

/**
 * What the cache keeps: events as the JSON that is sent, so that a hit costs nothing but sending. An answer holds one event, or a
 * list of them; what it is about are its *subjects*: `e:<event id>`, `s:<session id>`, `c:<card as stored>`,
 * `p:<zone>`.
 */
export interface Answer {
  /** The events as JSON objects, joined by commas; in order. */
  readonly json: string
  readonly parts: readonly Part[]
  /** Quoted, of the JSON. */
  readonly etag: string
  /** Where the next page begins; null: there is none. */
  readonly next: string | null
}

/** One event in an answer. */
export interface Part {
  /** What it is itself. */
  readonly subject: string
  /** Compares as text: a document never goes back to a smaller one. */
  readonly version: string
  /** When it was made, epoch ms: its place in the list of a card. */
  readonly at: number
  readonly zone: string | null
  /** Subjects of the lists that it belongs into. */
  readonly lists: readonly string[]
  /** Invalidated by a null value: there is nothing left to show. */
  readonly isGone: boolean
  /** Where its JSON ends; the next one begins after a comma. */
  readonly end: number
}

export const etagOf = (text: string) => `"${hash('sha1', text, 'base64url')}"`

export const subjectOfEvent = (id: string) => `e:${id}`
export const subjectOfSession = (id: string) => `s:${id}`
export const subjectOfPrice = (zone: string) => `p:${zone}`
export const subjectOfCard = (card: string) => `c:${card}`

/** What V8 and the cache need for an entry, and for a part of one, beside their texts; measured by test/acceptance/cache-memory.ts. */
const ENTRY_BYTES = 555
const PART_BYTES = 400

/** Bytes of memory that an answer takes under its key, about. */
export function weightOf(key: string, { json, parts }: Answer): number {
  let weight = ENTRY_BYTES + textBytes(key) + textBytes(json)
  for (const { subject, version, zone, lists } of parts) {
    weight += PART_BYTES + textBytes(subject) + textBytes(version) + (zone === null ? 0 : textBytes(zone))
    for (const list of lists) weight += textBytes(list)
  }
  return weight
}

/** V8 takes one byte for a character up to U+00FF, and two where a text has any other. */
const textBytes = (text: string) => (WIDE.test(text) ? 2 * text.length : text.length)
const WIDE = /[^\0-\xff]/
