import type { Observation } from '../../../../src/contract/observation.ts'
import { type Board, type BoardOptions, createBoard } from '../../../../src/serve/live/board.ts'
import { createLane, MINUTE, OPTIONS, START } from './board-traffic.ts'

/** A board, the lane that tells it, and its clock, which begins at 10:00. */
export function given(options: Partial<BoardOptions> = {}) {
  let now = START
  const board = createBoard({ ...OPTIONS, now: () => now, ...options })
  const lane = createLane()
  return {
    board,
    lane,
    /** The clock shows this many minutes after 10:00. */
    clock(minute: number) {
      now = START + minute * MINUTE
    },
    tell(key: string, minute: number, status: string, more: Partial<Observation> = {}) {
      const update = lane.tell(key, { at: START + minute * MINUTE, status, ...more })
      board.apply(key, update)
      return update
    },
    end(key: string) {
      lane.end(key)
      board.apply(key, null)
    },
  }
}

export const ZONE = { zone_id: 'Z' }
export const ids = (board: Board, choice: Parameters<Board['sessions']>[0] = { zones: null }) =>
  board.sessions(choice, { limit: 50 }).sessions.map(({ session_id }) => session_id)
/** Points of a zone by minutes after 10:00. */
export const points = (board: Board, zone: string | null, hours = 1) =>
  Object.fromEntries(
    board.occupancy(zone, hours).points.map(({ at, parked }) => [(Date.parse(at) - START) / MINUTE, parked]),
  )
