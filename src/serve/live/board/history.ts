/**
 * When sessions came and went, over a window that moves with the clock: of each step how many more came than went, over
 * all and by zone. How many were parked at the end of a step follows from how many are parked now, less what came after.
 *
 * A zone has a history of its own once something moves in it, and gives it back when the window has left that behind. At
 * most `most` have one at a time. What moves in any other zone counts over all only, and of that zone is then known that
 * its history is not whole; it can have one when what moved without it lies before the window.
 */
import { FEWEST, grown, grownCapacity } from './columns.ts'
import type { Names } from './names.ts'
import { stepOf } from './session.ts'

export interface History {
  /** The steps up to this one lie before the window. */
  forgotten(now: number): number
  /** Counts one that came or went in a step of the window, or takes that back. Null: in no zone. */
  add(zone: string | null, step: number, by: number, now: number): void
  /**
   * Gives a function: how many more came than went in a step. Null where that is not known.
   */
  changes(zone: number | null, now: number): ((step: number) => number) | null
  /** Looks at the next zone, and gives its history back when it is outdated. */
  tidy(now: number): void
}

/** Mostly there are few moves in a step; a ring that overflows becomes a wider one. */
type Ring = Int8Array | Int16Array | Int32Array

export interface HistoryOptions {
  windowMs: number
  /** At least a second: steps since 1970 are counted in 32 bits. */
  stepMs: number
  /** Zones with a history of their own. */
  most: number
}

/** Of a zone in which nothing moved. */
const NEVER = -1

export function createHistory(names: Names, { windowMs, stepMs, most }: HistoryOptions): History {
  const length = Math.ceil(windowMs / stepMs)
  const all = { ring: new Int32Array(length), newest: NEVER }
  const rings: (Ring | null)[] = []
  /** The newest step in which something moved, of each zone. */
  let newest = new Int32Array(FEWEST).fill(NEVER)
  let count = 0
  let hand = 0
  const forgotten = (now: number) => stepOf(now, stepMs) - length

  /** Its number, which is held for as long as the zone has a history. */
  const touch = (name: string, now: number) => {
    const known = names.numberOf(name)
    const before = newest[known] ?? NEVER
    const zone = before === NEVER ? names.hold(name) : known
    if (zone >= newest.length) newest = grown(newest, grownCapacity(names.end), NEVER)
    while (zone >= rings.length) rings.push(null)
    if (before <= forgotten(now) && !rings[zone] && count < most) {
      rings[zone] = new Int8Array(length)
      count++
    }
    return zone
  }
  const addTo = (zone: number, step: number, by: number) => {
    const ring = rings[zone]
    if (ring) rings[zone] = put(ring, newest[zone] as number, step, by)
    newest[zone] = Math.max(newest[zone] as number, step)
  }

  return {
    forgotten,
    add(zone, step, by, now) {
      put(all.ring, all.newest, step, by)
      all.newest = Math.max(all.newest, step)
      if (zone === null) return
      addTo(touch(zone, now), step, by)
    },
    changes(zone, now) {
      const last = zone === null ? all.newest : (newest[zone] ?? NEVER)
      if (last <= forgotten(now)) return () => 0
      const ring = zone === null ? all.ring : rings[zone]
      return ring ? (step) => (step > last ? 0 : (ring[step % length] as number)) : null
    },
    tidy(now) {
      const zone = hand
      hand = hand + 1 < names.end ? hand + 1 : 0
      if (!(zone < newest.length) || newest[zone] === NEVER || (newest[zone] as number) > forgotten(now)) return
      if (rings[zone]) count--
      rings[zone] = null
      newest[zone] = NEVER
      names.release(zone)
    },
  }
}

/** Adds to a ring whose newest step is `newest`; what it holds of a window ago goes. Returns the ring, or a wider one. */
function put(ring: Ring, newest: number, step: number, by: number): Ring {
  const { length } = ring
  const at = step % length
  for (let old = Math.max(newest, step - length) + 1; old <= step; old++) ring[old % length] = 0
  const value = (ring[at] as number) + by
  ring[at] = value
  if (ring[at] === value) return ring
  const wider = ring instanceof Int8Array ? Int16Array.from(ring) : Int32Array.from(ring)
  wider[at] = value
  return wider
}
