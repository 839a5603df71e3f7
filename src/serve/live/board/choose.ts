/** Which sessions are asked for, and one page of them. */
import { createFewFirst, type FewFirst } from './few-first.ts'
import { hasLeft, type Keeper } from './keeper.ts'
import { USED } from './rows.ts'
import { timeOf } from './session.ts'

export interface Choice {
  /** Only in these; null: in all, and without a zone. */
  zones: ReadonlySet<string> | null
  zone?: string
  /** The session's own status word. */
  status?: string
  /** Any of these, as it is stored. */
  card?: readonly string[]
}

/** The last session of a page. */
export interface SessionCursor {
  /** ISO 8601. */
  occurredAt: string
  sessionId: string
}

export interface Page {
  limit: number
  before?: SessionCursor
}

/**
 * Rows of one page, the newest first, and whether there are more. Looks only at those with the card, or in the zone, that
 * is asked for.
 */
export function choose(keeper: Keeper, choice: Choice, page: Page, now: number): { rows: number[]; hasMore: boolean } {
  const { rows, sessions } = keeper
  const { limit, before } = page
  const first = createFewFirst(
    limit + 1,
    (a, b) => (rows.occurredAt[b] as number) - (rows.occurredAt[a] as number) || sessions.compareKeys(b, a),
  )
  const filter = filterOf(keeper, choice)
  if (filter) {
    const cursor = before ? { at: timeOf(before.occurredAt), key: Buffer.from(before.sessionId) } : null
    for (const [from, next] of ways(keeper, choice)) walk(keeper, from, next, { ...filter, cursor, now, first })
  }
  const found = first.rows()
  return { rows: found.slice(0, limit), hasMore: found.length > limit }
}

interface Filter {
  /** Numbers, or ANY. */
  word: number
  zone: number
  /** 1 at the number of each zone that is allowed; null: all are. */
  among: Uint8Array | null
}

interface Wanted extends Filter {
  cursor: { at: number; key: Buffer } | null
  now: number
  first: FewFirst
}

const ANY = -2
/** The number of a zone or word that no session has. */
const NOBODY = -1

/** Null: there can be none. */
function filterOf({ zones, words }: Keeper, choice: Choice): Filter | null {
  const { numberOf, end } = zones.names
  const word = choice.status === undefined ? ANY : words.numberOf(choice.status)
  const zone = choice.zone === undefined ? ANY : numberOf(choice.zone)
  if (word === NOBODY || zone === NOBODY) return null
  const among = choice.zones && new Uint8Array(end)
  for (const one of choice.zones ?? []) if (among && numberOf(one) >= 0) among[numberOf(one)] = 1
  return { word, zone, among }
}

/** One zone in so many, and it is faster to look at all rows in a line than at those of the zones here and there. */
const MANY_ZONES = 20

/** Where to begin, and where to go on from each row: of a list, or (null) down through all rows. */
function* ways({ rows, sessions, zones }: Keeper, choice: Choice): Generator<[first: number, next: Int32Array | null]> {
  const { zone, card } = choice
  const among = zone === undefined ? choice.zones : new Set([zone])
  if (card !== undefined) {
    for (const one of new Set(card)) yield [sessions.withCard(one), rows.byCard.next]
  } else if (among !== null && (zone !== undefined || among.size * MANY_ZONES < zones.names.size)) {
    for (const one of among) yield [zones.firstIn(zones.names.numberOf(one)), rows.byZone.next]
  } else {
    // The last row is likely to be the newest: few of those that follow then push out others.
    yield [rows.end - 1, null]
  }
}

/** In one loop, and without a call for those passed over, since it may look at every session there is. */
function walk({ rows, sessions }: Keeper, from: number, next: Int32Array | null, wanted: Wanted): void {
  const { word, zone, among, cursor, now, first } = wanted
  const { flags, occurredAt } = rows
  const latest = cursor?.at ?? Number.POSITIVE_INFINITY
  let least = first.isFull() ? (occurredAt[first.last()] as number) : 0
  for (let row = from; row >= 0; row = next ? (next[row] as number) : row - 1) {
    const at = occurredAt[row] as number
    if (at < least || at > latest || !((flags[row] as number) & USED)) continue
    if (word !== ANY && rows.word[row] !== word) continue
    if (zone !== ANY && rows.zone[row] !== zone) continue
    if (among && among[rows.zone[row] as number] !== 1) continue
    if (hasLeft(rows, row, now) || (cursor && at === latest && sessions.compareKey(row, cursor.key) >= 0)) continue
    first.offer(row)
    if (first.isFull()) least = occurredAt[first.last()] as number
  }
}
