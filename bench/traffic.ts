import { BLOCK, EVENTS, eventOf, OPEN, renewed, type Shape, type TrafficRecord } from './event.ts'
import { expected } from './expected.ts'
import { hash, uuid } from './hash.ts'

/**
 * The records of a run: parking events in JSON of about 500 bytes, sessions of four events, many sessions open at a
 * time. Every record moves the head of its session, so each makes a document and a status update. All of a record
 * follows from its number, so that a later topic can repeat, renew or be late for the records of an earlier one.
 */

export interface Traffic {
  records: Iterable<TrafficRecord>
  count: number
  /** Documents in the collection once all this is in. */
  documents: number
  /** Updates in the status topic once all this is in. */
  updates: number
}

/** Early enough for any run, so that no record is of the future when Kafka gets it. */
export const newShape = (seed: number, bytes?: number): Shape => ({
  seed,
  start: Date.now() - 24 * 3_600_000,
  ...(bytes !== undefined && { bytes }),
})

/** Records `0 … count - 1` of a shape, all new. */
export function freshTraffic(shape: Shape, count: number): Traffic {
  return { records: numbered(count, (number) => eventOf(shape, number)), count, documents: count, updates: count }
}

/** One record for each of `count` sessions. */
export function openingTraffic(shape: Shape, count: number): Traffic {
  const numberOf = (session: number) => Math.floor(session / OPEN) * BLOCK + (session % OPEN)
  const records = numbered(count, (session) => eventOf(shape, numberOf(session)))
  return { records, count, documents: count, updates: count }
}

/** `count` new events, each of any one of the sessions that `openingTraffic` opened. */
export function extendingTraffic(shape: Shape, sessions: number, count: number): Traffic {
  const records = numbered(count, (number) => {
    const session = hash(shape.seed + 1, number) % sessions
    const opened = eventOf(shape, Math.floor(session / OPEN) * BLOCK + (session % OPEN))
    return renewed(
      opened,
      uuid(shape.seed + 2, number),
      'parking_extend',
      shape.start + EVENTS.length * (sessions + OPEN) + number,
    )
  })
  return { records, count, documents: sessions + count, updates: sessions + count }
}

/**
 * Records that follow `before` records of `shape`: of this share the ids exist already, as they are.
 * @param nth which of several such topics over the same documents
 */
export function partlyExisting(shape: Shape, before: number, count: number, share: number, nth: number): Traffic {
  const seed = shape.seed + 1_000 * (nth + 1)
  const fresh = { ...shape, seed, start: shape.start + before }
  const exists = (number: number) => (hash(seed + 3, number) % 1_000) / 1_000 < share
  const records = numbered(count, (number) =>
    exists(number) ? eventOf(shape, hash(seed + 4, number) % before) : eventOf(fresh, number),
  )
  let added = 0
  for (let number = 0; number < count; number++) if (!exists(number)) added++
  return { records, count, documents: before + added, updates: before + added }
}

type Fate = 'fresh' | 'repeated' | 'renewed' | 'outdated' | 'late' | 'twice'

/** Of 100 records. The first three meet an id of the topic before, `twice` one of this topic. */
const FATES: [Fate, number][] = [
  ['repeated', 10], //  a record of before, byte for byte
  ['renewed', 5], //    the id of before, with newer content
  ['outdated', 5], //   the id of before, with older content
  ['late', 5], //       a new id, older than the head of its session
  ['twice', 5], //      a record of this topic, again
]
/** How far back `twice` reaches. */
const WITHIN = 3_000

/** Records that follow `before` records of `shape`: 20 % with ids that exist, among them late and repeated ones. */
export function mixedTraffic(shape: Shape, before: number, count: number): Traffic {
  const fresh = { ...shape, seed: shape.seed + 7, start: shape.start + before }
  const fateOf = (number: number): Fate => {
    let draw = hash(shape.seed + 5, number) % 100
    for (const [fate, share] of FATES) {
      if (draw < share) return fate
      draw -= share
    }
    return 'fresh'
  }
  const recordOf = (number: number): TrafficRecord => {
    const fate = fateOf(number)
    const earlier = Math.max(0, number - 1 - (hash(shape.seed + 6, number) % WITHIN))
    if (fate === 'twice') return fateOf(earlier) === 'fresh' ? eventOf(fresh, earlier) : eventOf(fresh, number)
    if (fate === 'fresh') return eventOf(fresh, number)
    const old = eventOf(shape, hash(shape.seed + 4, number) % before)
    if (fate === 'repeated') return old
    const newer = shape.start + before + count + number
    if (fate === 'renewed') return renewed(old, old.value.event_id, old.value.event_type, newer)
    const older = shape.start - 3_600_000 + number
    if (fate === 'outdated') return renewed(old, old.value.event_id, old.value.event_type, older)
    return renewed(old, uuid(shape.seed + 8, number), 'parking_start', older)
  }
  const records = numbered(count, recordOf)
  return { records, count, ...expected([freshTraffic(shape, before).records, records]) }
}

function numbered(count: number, recordOf: (number: number) => TrafficRecord): Iterable<TrafficRecord> {
  return {
    *[Symbol.iterator]() {
      for (let number = 0; number < count; number++) yield recordOf(number)
    },
  }
}
