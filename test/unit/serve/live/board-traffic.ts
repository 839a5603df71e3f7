import fc from 'fast-check'
import { isoOf } from '../../../../src/contract/iso-time.ts'
import type { Observation } from '../../../../src/contract/observation.ts'
import type { StatusUpdate } from '../../../../src/contract/status-update.ts'
import { fold, type Head, headOf } from '../../../../src/status/fold.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const START = Date.UTC(2026, 5, 1, 10)
export const OPTIONS = { keepEndedMs: 3 * HOUR, historyMs: 2 * HOUR, stepMs: 5 * MINUTE }
export const ZONES = ['Z1', 'Z2', 'Z3']
export const CARDS = ['tok_1', 'tok_2']

/** A record of the status topic. */
export interface Told {
  key: string
  update: StatusUpdate | null
}

export const at = (minute: number): string => isoOf(START + minute * MINUTE)

/** Tells observations of one session to a lane, and gives what it publishes. */
export function createLane(): {
  tell(key: string, more: Partial<Observation>): StatusUpdate | null
  end(key: string): void
} {
  const heads = new Map<string, Head>()
  let events = 0
  return {
    tell(key, more) {
      const event_id = `e${events++}`
      const update = fold(heads.get(key), {
        ...{ key, kind: 'session', status: 'on-going', at: START, event_id, session_id: key, card: null },
        ...{ zone_id: null, event_type: null, http_status: 200, ends_at: null },
        ...{ source: { topic: 'events', partition: 0, offset: String(events) }, ...more },
      })
      if (update) heads.set(key, headOf(update))
      return update
    },
    end: (key) => heads.delete(key),
  }
}

const minutes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -50, max: 30 }).map((fives) => fives * 5) },
  fc.double({ min: -400, max: 20, noNaN: true }).map((minute) => Math.round(minute * 1_000) / 1_000),
)

/** What is told of a session, in the order in which it is told. */
export const observed = fc.record({
  key: fc.constantFrom('A', 'B', 'C', 'D'),
  ends: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  kind: fc.constantFrom('session', 'session', 'session', 'payment', 'error'),
  word: fc.constantFrom('on-going', 'on-going', 'alerted', 'finished', 'expired', 'cancelled', 'newly-invented'),
  minute: minutes,
  zone_id: fc.constantFrom(null, null, ...ZONES),
  card: fc.constantFrom(null, ...CARDS),
  ends_at: fc.option(minutes.map(at)),
  hasSession: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
})
export type Observed = typeof observed extends fc.Arbitrary<infer T> ? T : never

/** The records that a lane writes for them; a key that has ended begins anew. */
export function toldOf(all: readonly Observed[]): Told[] {
  const lane = createLane()
  const told: Told[] = []
  for (const { key, ends, kind, word, minute, hasSession, ...rest } of all) {
    if (ends) {
      lane.end(key)
      told.push({ key, update: null })
      continue
    }
    const status = kind === 'session' ? word : kind === 'error' ? '404' : 'captured'
    const session_id = hasSession ? key : null
    const time = START + Math.round(minute * MINUTE)
    const update = lane.tell(key, { kind: kind as 'session', status, at: time, session_id, ...rest })
    if (update) told.push({ key, update })
  }
  return told
}
