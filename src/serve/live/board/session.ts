/**
 * What updates say of one session, pure: what is known of it × update → what is known after it.
 *
 * - *Parked* is a session whose own status word exists and is none of those that end it. Payments and errors do not
 *   change that.
 * - *Zone and card* are those of the newest update that names them, by observed time, whatever its kind: an error or a
 *   payment often names neither, and a late one must not bring back what was corrected since.
 * - *When it ends* is told by the newest update of kind `session` that names it, else by the newest of the others.
 * - A time ahead of the clock counts as now.
 *
 * Its *moves* are where and when it came to be parked, and ceased to be: what the occupancy of the last day is added up
 * from. They are counted by observed time, so that it does not matter when, and in which order of partitions, they are
 * read. The rules:
 *
 * - It comes at the observed time of the first word that says so, and goes at that of the word that ends it. It may
 *   come again.
 * - Going from one zone to another is a move of both, at the time of the update that names the other. A zone that is
 *   named for the first time is the one that it was in from the start.
 * - The topic keeps a day of history of each key, so what is no longer there is older than the window. When the first
 *   update that is seen of a session has a previous status that was parked, it has been parked since before the window.
 *   When that update is of another kind, its `state` tells only when the session's word was last confirmed. That time is
 *   taken: in a whole topic it lies before the window as well.
 * - No move comes before the one before it (kinds may be late with respect to each other), so no count falls below 0.
 * - Moves that cancel out within one step, or are older than the window, are not kept.
 */
import { msOf } from '../../../contract/iso-time.ts'
import type { StatusUpdate } from '../../../contract/status-update.ts'
import { isParkedWord } from '../words.ts'

/** A value, and the observed time of the update that named it. */
export interface Named<T> {
  value: T
  at: number
}

/** Into (+1) or out of (-1) a zone, or null where none was named; `step` counts the steps of the occupancy since 1970. */
export interface Move {
  zone: string | null
  step: number
  by: 1 | -1
}

/** Times are epoch milliseconds. */
export interface Session {
  revision: number
  /** The newest observed time of all kinds. */
  occurredAt: number
  isParked: boolean
  /** The session's own status word. */
  word: string | null
  zone: Named<string> | null
  card: Named<string> | null
  endsAt: (Named<number> & { bySession: boolean }) | null
  /** When its own word was observed; without one, the newest time of all kinds. */
  heardAt: number
  /** Oldest first. */
  moves: readonly Move[]
}

/** What an update depends on. */
export type Known = Pick<Session, 'revision' | 'isParked' | 'zone' | 'card' | 'endsAt' | 'moves'>

export interface Moment {
  now: number
  stepMs: number
  /** Moves of this step, and of earlier ones, are not kept. */
  forgotten: number
}

export function evolve(known: Known | undefined, update: StatusUpdate, moment: Moment): Session {
  const { kind, revision, state } = update
  const at = timeOf(update.occurred_at)
  const { occurredAt, heardAt } = timesIn(state, update.occurred_at, at)
  const word = state.session?.status ?? null
  const isParked = isParkedWord(word)
  const zone = newer(known?.zone, update.zone_id, at)
  const card = newer(known?.card, update.card, at)
  const endsAt = endsAtOf(known?.endsAt ?? null, update, at)
  const wasParked = known ? known.isParked : kind === 'session' && isParkedWord(update.previous_status)
  const from = (known ?? { zone }).zone?.value ?? null
  const to = zone?.value ?? null
  const earlier = known?.moves ?? NO_MOVES
  const stands = wasParked === isParked && (from === to || (!wasParked && earlier.length === 0))
  const moves = stands ? earlier : movesAfter(earlier, { from, to, at, wasParked, isParked, heardAt }, moment)
  return { revision, occurredAt, isParked, word, zone, card, endsAt, heardAt, moves }
}

/** `at` is what `text` says, which is mostly one of those in the state. */
function timesIn(state: StatusUpdate['state'], text: string, at: number): Pick<Session, 'occurredAt' | 'heardAt'> {
  let newest = at
  let session = -1
  for (const kind in state) {
    const occurred = state[kind as keyof typeof state]?.occurred_at ?? ''
    const ms = occurred === text ? at : timeOf(occurred)
    if (ms > newest) newest = ms
    if (kind === 'session') session = ms
  }
  return { occurredAt: newest, heardAt: session < 0 ? newest : session }
}

export const NO_MOVES: readonly Move[] = []

function newer<T>(known: Named<T> | null | undefined, value: T | null, at: number): Named<T> | null {
  if (value !== null && (!known || at >= known.at)) return { value, at }
  return known ?? null
}

function endsAtOf(known: Session['endsAt'], { kind, ends_at }: StatusUpdate, at: number): Session['endsAt'] {
  if (ends_at === null) return known
  const bySession = kind === 'session'
  const isOlder = known !== null && (known.bySession === bySession ? at < known.at : known.bySession)
  return isOlder ? known : { value: timeOf(ends_at), at, bySession }
}

interface Change {
  /** The zone before, and now. */
  from: string | null
  to: string | null
  at: number
  wasParked: boolean
  isParked: boolean
  heardAt: number
}

function movesAfter(earlier: readonly Move[], change: Change, moment: Moment): readonly Move[] {
  const { from, to, at, wasParked, isParked, heardAt } = change
  const moves = from === null && to !== null ? earlier.map((one) => ({ ...one, zone: one.zone ?? to })) : [...earlier]
  if (from !== null && from !== to && wasParked) {
    const step = nextStep(moves, at, moment)
    move(moves, from, step, -1)
    move(moves, to, step, 1)
  }
  if (wasParked !== isParked) move(moves, to, nextStep(moves, heardAt, moment), isParked ? 1 : -1)
  return moves.filter(({ step }) => step > moment.forgotten)
}

const nextStep = (moves: readonly Move[], at: number, { now, stepMs }: Moment): number =>
  Math.max(stepOf(Math.min(at, now), stepMs), moves.at(-1)?.step ?? 0)

function move(moves: Move[], zone: string | null, step: number, by: 1 | -1): void {
  const opposite = moves.findIndex((other) => other.step === step && other.zone === zone && other.by === -by)
  if (opposite < 0) moves.push({ zone, step, by })
  else moves.splice(opposite, 1)
}

/** The step at whose end, which belongs to it, `at` has happened. */
export const stepOf = (at: number, stepMs: number): number => Math.ceil(at / stepMs)

/** What fits into six bytes: the year 10889. */
const LAST_TIME = 2 ** 48 - 1

/** Epoch milliseconds from 0 to 2^48 - 1; of a text that cannot be read 0: as old as can be. */
export function timeOf(text: string): number {
  const short = msOf(text)
  const ms = Number.isNaN(short) ? Date.parse(text) : short
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), LAST_TIME)
}
