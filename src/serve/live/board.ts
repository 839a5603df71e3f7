/**
 * What is parked where, as the status topic tells it, in memory. Pure but for the clock: updates in, answers out.
 *
 * Sessions are on the board from their first update on. Those parked stay until they end, others for `keepEndedMs` after
 * they ended, or after the newest that is heard of them where they were never parked; a null value takes a session away at
 * once. What is counted, and the occupancy of the past, is always the sum over the sessions on the board: what a session
 * says of itself is `board/session.ts`, and here it is taken back and counted anew with each update. So a session that
 * left is as if it had never been there, which is also what one sees who starts after the topic was compacted, and to read
 * a part of the topic again changes nothing in the end.
 *
 * The clock never goes back: what was overdue, or had left, stays so when this machine's clock is set back.
 */
import type { Occupancy, SessionSummary, ZoneView } from '../../contract/api.ts'
import type { StatusUpdate } from '../../contract/status-update.ts'
import { type Choice, choose, type Page, type SessionCursor } from './board/choose.ts'
import { hasLeft, Keeper } from './board/keeper.ts'
import { occupancyOf } from './board/occupancy.ts'
import { parkedZones, summaryOf, zoneView } from './board/views.ts'

export type { Choice, Page, SessionCursor } from './board/choose.ts'

export interface Board {
  /**
   * Takes a committed update of the status topic in, in the order of its partition; null: the key has ended. One whose
   * revision is not above what is known of its key changes nothing. Keys without a session are not on the board; the key of
   * the others is the session id.
   */
  apply(key: string, update: StatusUpdate | null): void
  /** Those zones, of these or (null) of all, in which somebody is parked, by their ids. */
  zones(zones: ReadonlySet<string> | null): ZoneView[]
  /** Zeros where nobody is parked. */
  zone(zoneId: string): ZoneView
  /**
   * Over the last hours, at most as many as are kept; null: of all zones together, and of sessions without a zone. Only
   * the last point for a zone that has no history of its own, because too many have one.
   */
  occupancy(zoneId: string | null, hours: number): Occupancy
  /** One page, by the observed time of the newest update, then by session id (its UTF-8 bytes), the greatest first. */
  sessions(choice: Choice, page: Page): { sessions: SessionSummary[]; next: SessionCursor | null }
  /** Undefined: it is not on the board. */
  session(sessionId: string): SessionSummary | undefined
  /** Sessions in memory, parked or not. */
  readonly size: number
  /** Sessions that are parked, in all zones and without one. */
  readonly parked: number
}

export interface BoardOptions {
  /** Epoch milliseconds. */
  now?: () => number
  /** How long a session is shown after it ended. At least as long as the history: what has left has no past here. */
  keepEndedMs: number
  historyMs: number
  /** Between two points of the occupancy. */
  stepMs: number
  /** Zones that have a history of their own, of up to a kilobyte at five minutes and a day. */
  mostHistories?: number
}

const HOUR_MS = 3_600_000

/** Throws RangeError on options that make no sense. */
export function createBoard(options: BoardOptions): Board {
  const { now = Date.now, keepEndedMs, historyMs, stepMs, mostHistories = 50_000 } = options
  if (keepEndedMs < historyMs)
    throw new RangeError(`keepEndedMs is ${keepEndedMs} and must be at least historyMs, which is ${historyMs}`)
  if (!(stepMs >= 1_000)) throw new RangeError(`stepMs is ${stepMs} and must be at least 1000`)
  const keeper = new Keeper(keepEndedMs, { windowMs: historyMs, stepMs, most: mostHistories })
  let latest = 0
  const clock = () => {
    latest = Math.max(latest, now())
    return latest
  }
  const settled = () => {
    const at = clock()
    keeper.settle(at)
    return at
  }
  return {
    apply: (key, update) => keeper.apply(key, update, clock()),
    zones(wanted) {
      settled()
      return parkedZones(keeper, wanted).map((zone) => zoneView(keeper, zone))
    },
    zone(id) {
      settled()
      return zoneView(keeper, id)
    },
    occupancy(id, hours) {
      const at = settled()
      const number = id === null ? null : keeper.zones.names.numberOf(id)
      const parked = number === null ? keeper.parked : keeper.zones.countsOf(number).parked
      const spanMs = Math.min(hours * HOUR_MS, historyMs)
      return occupancyOf(parked, keeper.history.changes(number, at), { now: at, spanMs, stepMs })
    },
    sessions(choice, page) {
      const at = settled()
      const { rows, hasMore } = choose(keeper, choice, page, at)
      const sessions = rows.map((row) => summaryOf(keeper, row, at))
      const last = hasMore ? sessions.at(-1) : undefined
      return { sessions, next: last ? { occurredAt: last.occurred_at, sessionId: last.session_id } : null }
    },
    session(id) {
      const at = clock()
      const row = keeper.sessions.rowOf(id)
      return row < 0 || hasLeft(keeper.rows, row, at) ? undefined : summaryOf(keeper, row, at)
    },
    get size() {
      return keeper.rows.size
    },
    get parked() {
      return keeper.parked
    },
  }
}
