/** Takes updates in: what a session counts for is taken back, and counted anew. */
import type { StatusUpdate } from '../../../contract/status-update.ts'
import { createDeadlines } from './deadlines.ts'
import { createHistory, type HistoryOptions } from './history.ts'
import { createNames } from './names.ts'
import { OVERDUE, PARKED, type Rows, USED } from './rows.ts'
import { evolve, type Known, type Move, NO_MOVES, type Session } from './session.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createZones } from './zones.ts'

/** Sessions that become overdue, or leave, with each update: more than the one that may come with it, so none pile up. */
const FEW = 3
/** And that leave when something is read, so that nobody waits for a night's worth of them. */
const SOME = 500

export class Keeper {
  /** Records need the numbers of zones, and zones the rows of the sessions. */
  readonly sessions: Sessions = createSessions({
    numberOf: (zone) => this.zones.names.numberOf(zone),
    textOf: (number) => this.zones.names.textOf(number),
  })
  readonly rows = this.sessions.rows
  readonly zones = createZones(this.rows)
  readonly words = createNames()
  readonly history
  #ends = createDeadlines(this.rows)
  #leaving = createDeadlines(this.rows)
  #parked = 0
  #keepEndedMs: number
  #stepMs: number

  constructor(keepEndedMs: number, history: HistoryOptions) {
    this.#keepEndedMs = keepEndedMs
    this.#stepMs = history.stepMs
    this.history = createHistory(this.zones.names, history)
  }

  /** Sessions that are parked, in all zones, and without a zone. */
  get parked(): number {
    return this.#parked
  }

  /** `now` never goes back. */
  apply(key: string, update: StatusUpdate | null, now: number): void {
    this.#markOverdue(now, FEW)
    this.#letGo(now, FEW)
    this.history.tidy(now)
    let row = this.sessions.rowOf(key)
    if (row >= 0 && (update === null || hasLeft(this.rows, row, now))) {
      this.#remove(row, now)
      row = -1
    }
    if (update !== null && (row >= 0 || update.session_id !== null)) this.#take(row, key, update, now)
  }

  /** Marks all as overdue that are. */
  settle(now: number): void {
    this.#markOverdue(now, Number.POSITIVE_INFINITY)
    this.#letGo(now, SOME)
  }

  #take(known: number, key: string, update: StatusUpdate, now: number): void {
    const { history, sessions } = this
    const before = known < 0 ? undefined : this.#known(known, now)
    if (before && update.revision <= before.revision) return
    const session = evolve(before, update, { now, stepMs: this.#stepMs, forgotten: history.forgotten(now) })
    if (!session.isParked && this.#leavesAt(session, now) < now) {
      if (known >= 0) this.#remove(known, now)
      return
    }
    if (known >= 0) this.#withdraw(known)
    this.#replaceMoves(before?.moves ?? NO_MOVES, session.moves, now)
    const row = sessions.write(known, key, session, update.state, before?.card?.value ?? null)
    this.#enter(row, session, now)
  }

  #known(row: number, now: number): Known {
    const { revision, zoneAt, card, endsAt, moves } = this.sessions.read(row, this.history.forgotten(now))
    const number = this.rows.zone[row] as number
    const zone = number < 0 ? null : { value: this.zones.names.textOf(number), at: zoneAt }
    return { revision, isParked: isParked(this.rows, row), zone, card, endsAt, moves }
  }

  #leavesAt({ heardAt }: Session, now: number): number {
    return Math.min(heardAt, now) + this.#keepEndedMs
  }

  #enter(row: number, session: Session, now: number): void {
    const { rows } = this
    const end = session.endsAt?.value ?? Number.POSITIVE_INFINITY
    const isOverdue = session.isParked && end < now
    rows.flags[row] = USED | (session.isParked ? PARKED : 0) | (isOverdue ? OVERDUE : 0)
    rows.due[row] = session.isParked ? end : this.#leavesAt(session, now)
    this.#setWord(row, session.word)
    this.zones.place(row, session.zone?.value ?? null)
    this.#count(row, 1)
    if (!session.isParked) this.#leaving.add(row)
    else if (!isOverdue && end !== Number.POSITIVE_INFINITY) this.#ends.add(row)
  }

  #withdraw(row: number): void {
    this.#count(row, -1)
    if ((this.rows.heapAt[row] as number) < 0) return
    if (isParked(this.rows, row)) this.#ends.remove(row)
    else this.#leaving.remove(row)
  }

  #remove(row: number, now: number): void {
    this.#withdraw(row)
    this.#replaceMoves(this.sessions.read(row, this.history.forgotten(now)).moves, NO_MOVES, now)
    this.#setWord(row, null)
    this.zones.place(row, null)
    this.sessions.remove(row)
  }

  #count(row: number, by: 1 | -1): void {
    this.zones.count(row, by)
    if (isParked(this.rows, row)) this.#parked += by
  }

  #setWord(row: number, word: string | null): void {
    const { words, rows } = this
    const old = rows.word[row] as number
    if (old >= 0 && words.textOf(old) === word) return
    rows.word[row] = word === null ? -1 : words.hold(word)
    if (old >= 0) words.release(old)
  }

  #replaceMoves(before: readonly Move[], after: readonly Move[], now: number): void {
    if (before === after) return
    let same = 0
    while (same < before.length && before[same] === after[same]) same++
    this.#addMoves(before, same, -1, now)
    this.#addMoves(after, same, 1, now)
  }

  #addMoves(moves: readonly Move[], from: number, by: 1 | -1, now: number): void {
    for (let i = from; i < moves.length; i++) {
      const move = moves[i] as Move
      this.history.add(move.zone, move.step, by * move.by, now)
    }
  }

  #markOverdue(now: number, most: number): void {
    const { rows, zones } = this
    for (let left = most, row = this.#ends.before(now); left > 0 && row >= 0; left--, row = this.#ends.before(now)) {
      this.#ends.remove(row)
      rows.flags[row] = (rows.flags[row] as number) | OVERDUE
      zones.countOverdue(row, 1)
    }
  }

  #letGo(now: number, most: number): void {
    const leaving = this.#leaving
    for (let left = most, row = leaving.before(now); left > 0 && row >= 0; left--, row = leaving.before(now)) {
      this.#remove(row, now)
    }
  }
}

export const isParked = (rows: Rows, row: number): boolean => ((rows.flags[row] as number) & PARKED) !== 0

/** Whether nobody may see it any more, though it is still there. */
export const hasLeft = (rows: Rows, row: number, now: number): boolean =>
  !isParked(rows, row) && (rows.due[row] as number) < now
