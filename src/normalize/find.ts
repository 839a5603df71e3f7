import type { Json, JsonObject } from '../contract/record.ts'
import { amountOf, currencyOf } from './amount.ts'
import type { Field, Found } from './families/family.ts'
import { type Name, NO_NAME, namesOf } from './field-names.ts'
import { faultOf, textOfId } from './identifiers.ts'
import { readSessionWord, readWord } from './kind-and-status.ts'
import { isObject } from './put.ts'
import { readTime } from './time.ts'
import { type Clock, clockNamedIn, NO_CLOCK, UTC } from './time-zone.ts'

export type Finder<F extends Field> = (
  record: JsonObject,
  bodies: readonly JsonObject[],
  zone: Clock | null,
) => Pick<Found, F>

/**
 * Finds these fields in one pass over the bodies of a record. Of each field the nearest body decides that has it, and there the best of
 * its names whose value can be read; but a record's own `zone_id` is its zone, whatever its bodies say.
 */
export function createFinder<F extends Field>(fields: readonly F[]): Finder<F> {
  const nameOf = namesOf(fields)
  const nothing = Object.fromEntries(fields.map((field) => [field, null])) as Pick<Found, F>
  /** By the number of a field: how near is what was found, and under how good a name. */
  const ranks = new Int16Array(fields.length)
  const zoneNumber = (fields as readonly Field[]).indexOf('zoneId')
  /** Where it looks just now; what it makes no function anew for. */
  const at: Place = { record: {}, body: {}, key: '', zone: null }
  const clock = createClock(at)

  function read(found: Pick<Found, F>, { number, rank, inner }: Name, before: number, key: string, value: Json): void {
    if (value === null || value === undefined) return
    if (inner !== null && typeof value === 'object') {
      const within = Array.isArray(value) ? value[0] : value
      if (!isObject(within)) return
      for (const name in within) read(found, inner(name), before, name, within[name] as Json)
    } else if (number !== null && before + rank < (ranks[number] as number)) {
      const field = fields[number] as F
      at.key = key
      const one = READERS[field](value, clock)
      if (one === null) return
      found[field] = one
      ranks[number] = before + rank
    }
  }

  return (record, bodies, zone) => {
    ranks.fill(UNRANKED)
    const found: Pick<Found, F> & Partial<Found> = { ...nothing }
    const ownZone = zoneNumber < 0 ? null : textOfId(record.zone_id)
    if (ownZone !== null) {
      found.zoneId = ownZone
      ranks[zoneNumber] = NEAREST
    }
    at.record = record
    at.zone = zone
    for (let i = 0; i < bodies.length; i++) {
      const body = bodies[i] as JsonObject
      at.body = body
      for (const key in body) {
        const name = nameOf(key)
        if (name !== NO_NAME) read(found, name, i * A_BODY, key, body[key] as Json)
      }
    }
    return found
  }
}

/** More than any field has names. */
const A_BODY = 1_000
const UNRANKED = 32_000
const NEAREST = -1

interface Place {
  record: JsonObject
  body: JsonObject
  /** The name of the field. */
  key: string
  /** For which nobody names one. */
  zone: Clock | null
}

/**
 * A time without a zone is UTC where its name says so (`stopTimeUtc`); else it is of the zone that its body names, or the
 * record, or else of `DEFAULT_TIME_ZONE`, or else UTC; but a local time (`stopTimeLocal`) of a zone that nobody tells is no time.
 */
function createClock(at: Place): Clock {
  return (shown) => {
    if (/utc$/i.test(at.key)) return shown
    const told = clockNamedIn(at.body) ?? clockNamedIn(at.record) ?? at.zone
    return (told ?? (/local$/i.test(at.key) ? NO_CLOCK : UTC))(shown)
  }
}

/** Null: the value does not say. */
const READERS: { [field in Field]: (value: Json, clock: Clock) => Found[field] } = {
  sessionId: textOfId,
  zoneId: textOfId,
  card: readCard,
  plate: (value) => readShort(value, 32),
  startsAt: readTime,
  endsAt: readTime,
  amount: (value) => (amountOf(value) === null ? null : value),
  currency: currencyOf,
  status: readSessionWord,
  paymentStatus: readWord,
  errorCode: (value) => readShort(value, 64),
}

function readCard(value: Json): string | null {
  const text = textOfId(value)
  return faultOf('card', text) === null ? text : null
}

function readShort(value: Json, most: number): string | null {
  const text = textOfId(value)?.trim() ?? null
  return text !== null && text.length <= most ? text : null
}
