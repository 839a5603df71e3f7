/** What is kept of a status update for those who listen: its text, and what they choose by. */
import { parse, stringify } from 'lossless-json'
import type { Kind } from '../../contract/document.ts'
import type { StatusUpdate } from '../../contract/status-update.ts'

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

/** The text that stands in the topic, where it fits on one line of a frame. */
function jsonOf(value: Buffer, update: StatusUpdate): string {
  if (value[0] === OPENING_BRACE && !value.includes(LINE_FEED) && !value.includes(CARRIAGE_RETURN))
    return value.toString()
  return stringify(update) ?? ''
}

const OPENING_BRACE = 0x7b
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

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
  item.withoutCard ??= cutCard(item.json)
  return item.withoutCard
}

function cutCard(json: string): string {
  const { card: _, ...rest } = parse(json) as Record<string, unknown>
  return stringify(rest) ?? ''
}
