/** Takes updates in: what a session counts for is taken back, and counted anew. */
import type { StatusUpdate } from '../../../contract/status-update.ts'
import { createDeadlines } from './deadlines.ts'
import { createHistory, type History, type HistoryOptions } from './history.ts'
import { createNames, type Names } from './names.ts'
import { OVERDUE, PARKED, type Rows, USED } from './rows.ts'
import { evolve, type Known, type Move, NO_MOVES, type Session } from './session.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createZones, type Zones } from './zones.ts'

export interface Keeper {
  readonly rows: Rows
  readonly sessions: Sessions
  readonly zones: Zones
  readonly words: Names
  readonly history: History
  /** In all zones, and without a zone. */
  readonly parked: number
  apply(key: string, update: StatusUpdate | null, now: number): void
  /** Marks all as overdue that are. */
  settle(now: number): void
}

/** Sessions that become overdue, or leave, with each update: more than the one that may come with it, so that none pile up. */
const FEW = 3
/** And that leave when something is read, so that nobody waits for a night's worth of them. */
const SOME = 500

export function createKeeper(keepEndedMs: number, historyOptions: HistoryOptions): Keeper {
  // Records need the numbers of zones, and zones the rows of the sessions.
  const sessions: Sessions = createSessions({
    numberOf: (zone) => zones.names.numberOf(zone),
    textOf: (number) => zones.names.textOf(number),
  })
  const { rows } = sessions
  const zones = createZones(rows)
  const words = createNames()
  const history = createHistory(zones.names, historyOptions)
  const ends = createDeadlines(rows)
  const leaving = createDeadlines(rows)
  let parked = 0

  const isParked = (row: number) => ((rows.flags[row] as number) & PARKED) !== 0
  const leavesAt = ({ heardAt }: Session, now: number) => Math.min(heardAt, now) + keepEndedMs

  const count = (row: number, by: 1 | -1) => {
    zones.count(row, by)
    if (isParked(row)) parked += by
  }
  const setWord = (row: number, word: string | null) => {
    const old = rows.word[row] as number
    if (old >= 0 && words.textOf(old) === word) return
    rows.word[row] = word === null ? -1 : words.hold(word)
    if (old >= 0) words.release(old)
  }
  const addMoves = (moves: readonly Move[], from: number, by: 1 | -1, now: number) => {
    for (let i = from; i < moves.length; i++) {
      const { zone, step, by: change } = moves[i] as Move
      history.add(zone, step, by * change, now)
    }
  }
  const replaceMoves = (before: readonly Move[], after: readonly Move[], now: number) => {
    if (before === after) return
    let same = 0
    while (same < before.length && before[same] === after[same]) same++
    addMoves(before, same, -1, now)
    addMoves(after, same, 1, now)
  }

  const withdraw = (row: number) => {
    count(row, -1)
    if ((rows.heapAt[row] as number) >= 0) (isParked(row) ? ends : leaving).remove(row)
  }
  const enter = (row: number, session: Session, now: number) => {
    const end = session.endsAt?.value ?? Number.POSITIVE_INFINITY
    const isOverdue = session.isParked && end < now
    rows.flags[row] = USED | (session.isParked ? PARKED : 0) | (isOverdue ? OVERDUE : 0)
    rows.due[row] = session.isParked ? end : leavesAt(session, now)
    setWord(row, session.word)
    zones.place(row, session.zone?.value ?? null)
    count(row, 1)
    if (!session.isParked) leaving.add(row)
    else if (!isOverdue && end !== Number.POSITIVE_INFINITY) ends.add(row)
  }
  const remove = (row: number, now: number) => {
    withdraw(row)
    replaceMoves(sessions.read(row, history.forgotten(now)).moves, NO_MOVES, now)
    setWord(row, null)
    zones.place(row, null)
    sessions.remove(row)
  }

  const markOverdue = (now: number, most: number) => {
    for (let left = most, row = ends.before(now); left > 0 && row >= 0; left--, row = ends.before(now)) {
      ends.remove(row)
      rows.flags[row] = (rows.flags[row] as number) | OVERDUE
      zones.countOverdue(row, 1)
    }
  }
  const letGo = (now: number, most: number) => {
    for (let left = most, row = leaving.before(now); left > 0 && row >= 0; left--, row = leaving.before(now)) {
      remove(row, now)
    }
  }

  const knownOf = (row: number, now: number): Known => {
    const { revision, zoneAt, card, endsAt, moves } = sessions.read(row, history.forgotten(now))
    const number = rows.zone[row] as number
    const zone = number < 0 ? null : { value: zones.names.textOf(number), at: zoneAt }
    return { revision, isParked: isParked(row), zone, card, endsAt, moves }
  }
  const take = (known: number, key: string, update: StatusUpdate, now: number) => {
    const before = known < 0 ? undefined : knownOf(known, now)
    if (before && update.revision <= before.revision) return
    const moment = { now, stepMs: historyOptions.stepMs, forgotten: history.forgotten(now) }
    const session = evolve(before, update, moment)
    if (!session.isParked && leavesAt(session, now) < now) {
      if (known >= 0) remove(known, now)
      return
    }
    if (known >= 0) withdraw(known)
    replaceMoves(before?.moves ?? NO_MOVES, session.moves, now)
    enter(sessions.write(known, key, session, update.state, before?.card?.value ?? null), session, now)
  }

  return {
    ...{ rows, sessions, zones, words, history },
    get parked() {
      return parked
    },
    apply(key, update, now) {
      markOverdue(now, FEW)
      letGo(now, FEW)
      history.tidy(now)
      let row = sessions.rowOf(key)
      if (row >= 0 && (update === null || hasLeft(rows, row, now))) {
        remove(row, now)
        row = -1
      }
      if (update !== null && (row >= 0 || update.session_id !== null)) take(row, key, update, now)
    },
    settle(now) {
      markOverdue(now, Number.POSITIVE_INFINITY)
      letGo(now, SOME)
    },
  }
}

/** Whether nobody may see it any more, though it is still there. */
export const hasLeft = (rows: Rows, row: number, now: number): boolean =>
  !((rows.flags[row] as number) & PARKED) && (rows.due[row] as number) < now
