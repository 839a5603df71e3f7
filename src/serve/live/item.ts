import { stringify } from 'lossless-json'
import type { Kind } from '../../contract/document.ts'
import type { StatusUpdate } from '../../contract/status-update.ts'

/** An update on its way to those who listen. */
export interface Item {
  readonly partition: number
  readonly offset: bigint
  readonly update: StatusUpdate
  /** Its JSON. */
  readonly json: string
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

const among = (wanted: ReadonlySet<string> | null, value: string | null) =>
  wanted === null || (value !== null && wanted.has(value))

export const isWanted = ({ update }: Item, filter: Filter): boolean =>
  (filter.all || update.changed) &&
  among(filter.kinds, update.kind) &&
  among(filter.sessions, update.session_id) &&
  among(filter.cards, update.card) &&
  among(filter.zones, update.zone_id) &&
  among(filter.readable, update.zone_id)

/** As a caller may see it. */
export const jsonFor = ({ update, json }: Item, { showsCards }: Filter): string => {
  if (showsCards) return json
  const { card: _, ...rest } = update
  return stringify(rest) ?? ''
}
