/** What is kept of a status update for those who listen: its text, and what they choose by. */
import { stringify } from 'lossless-json'
import type { Kind } from '../../contract/document.ts'
import type { StatusUpdate } from '../../contract/status-update.ts'
import { withoutCards } from '../without-cards.ts'

export interface Item extends Readonly<Pick<StatusUpdate, 'changed' | 'kind' | 'session_id' | 'card' | 'zone_id'>> {
  readonly partition: number
  /** A whole number that is exact: logs do not get to 2^53. */
  readonly offset: number
  /** Of the update, on one line. */
  readonly json: string
  /** The same without its card; made when somebody first needs it. */
  withoutCard: string | null
}

export interface Filter {
  /** Also updates that confirm the status that was there. */
  all: boolean
  /** Null: any. */
  zones: ReadonlySet<string> | null
  sessions: ReadonlySet<string> | null
  cards: ReadonlySet<string> | null
  kinds: ReadonlySet<Kind> | null
  /** Of the caller's credentials. */
  readable: ReadonlySet<string> | null
  showsCards: boolean
}

/** @param value as it stands in the topic. */
export function itemOf(partition: number, offset: number, update: StatusUpdate, value: Buffer): Item {
  const { changed, kind, session_id = null, card = null, zone_id = null } = update
  return {
    ...{ partition, offset, changed, kind, session_id, card, zone_id },
    ...{ json: jsonOf(value, update), withoutCard: null },
  }
}

/** The text that stands in the topic, on one line. */
function jsonOf(value: Buffer, update: StatusUpdate): string {
  if (value[0] !== OPENING_BRACE) return stringify(update) ?? '' // Avro
  const text = value.toString()
  return LINE_BREAK.test(text) ? withoutBlanks(text) : text
}

const OPENING_BRACE = 0x7b
const LINE_BREAK = /[\r\n]/

/** JSON without what stands between its parts. Works on the text, so that no number is rounded and no nesting is too deep. */
const withoutBlanks = (json: string): string => json.replace(TEXT_OR_BLANKS, '$1')

const TEXT_OR_BLANKS = /("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+/g

const among = (wanted: ReadonlySet<string> | null, value: string | null) =>
  wanted === null || (value !== null && wanted.has(value))

export const isWanted = (item: Item, filter: Filter): boolean =>
  (filter.all || item.changed) &&
  among(filter.kinds, item.kind) &&
  among(filter.sessions, item.session_id) &&
  among(filter.cards, item.card) &&
  among(filter.zones, item.zone_id) &&
  among(filter.readable, item.zone_id)

/** As a caller may see it. */
export function jsonFor(item: Item, { showsCards }: Filter): string {
  if (showsCards) return item.json
  item.withoutCard ??= withoutCards(withoutBlanks(item.json))
  return item.withoutCard
}
