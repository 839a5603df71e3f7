import type { Facts } from '../contract/document.ts'
import type { Json, JsonObject } from '../contract/record.ts'
import { amountOf, currencyIn, currencyOf } from './amount.ts'
import { FIELDS, type Field } from './families/family.ts'
import { type Name, NO_NAME, nameOf } from './field-names.ts'
import { faultOf, textOfId } from './identifiers.ts'
import { readSessionWord, readWord } from './kind-and-status.ts'
import { isObject } from './put.ts'
import { readTime } from './time.ts'
import { type Clock, clockNamedIn, UTC } from './time-zone.ts'

/** What the bodies of a record say; null: nothing that can be read. */
export interface Found {
  sessionId: string | null
  zoneId: string | null
  card: string | null
  plate: string | null
  /** Epoch milliseconds. */
  startsAt: number | null
  endsAt: number | null
  /** As it is given, readable by `amountOf`. */
  amount: Json
  currency: string | null
  /** Status words. */
  status: string | null
  paymentStatus: string | null
  errorCode: string | null
}

/**
 * Reads all bodies in one pass. Of each field the nearest body decides that has it, and there the best of its names whose value
 * can be read.
 */
export function findFacts(record: JsonObject, bodies: readonly JsonObject[], zone: Clock | null): Found {
  ranks.fill(UNRANKED)
  const found: Found = {
    ...{ sessionId: null, zoneId: null, card: null, plate: null, startsAt: null, endsAt: null },
    ...{ amount: null, currency: null, status: null, paymentStatus: null, errorCode: null },
  }
  for (let i = 0; i < bodies.length; i++) {
    const body = bodies[i] as JsonObject
    const clock = () => clockNamedIn(body) ?? clockNamedIn(record) ?? zone
    for (const key in body) {
      const name = nameOf(key)
      if (name !== NO_NAME) readField(found, name, i * A_BODY, key, body[key] as Json, clock)
    }
  }
  return found
}

/** More than any field has names. */
const A_BODY = 1_000
const UNRANKED = 32_000
/** Of what was found so far, by field: place of the body, then of the name. */
const ranks = new Int16Array(FIELDS.length)
const PLACES = Object.fromEntries(FIELDS.map((field, place) => [field, place])) as { [field in Field]: number }

function readField(
  found: Found,
  { field, rank, inner }: Name,
  before: number,
  key: string,
  value: Json,
  clock: Clocks,
): void {
  if (value === null || value === undefined) return
  if (inner !== null && typeof value === 'object') {
    const within = Array.isArray(value) ? value[0] : value
    if (!isObject(within)) return
    for (const name in within) readField(found, inner(name), before, name, within[name] as Json, clock)
  } else if (field !== null && before + rank < (ranks[PLACES[field]] as number)) {
    const read = READERS[field](value, key, clock)
    if (read === null) return
    ;(found[field] as unknown) = read
    ranks[PLACES[field]] = before + rank
  }
}

/** The clock of a time whose name does not tell of which zone it is; null when nobody tells. */
type Clocks = () => Clock | null

/** Null: the value does not say. */
const READERS: { [field in Field]: (value: Json, key: string, clock: Clocks) => Found[field] } = {
  sessionId: textOfId,
  zoneId: textOfId,
  card: readCard,
  plate: (value) => readShort(value, 32),
  startsAt: readTimeNamed,
  endsAt: readTimeNamed,
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

/**
 * A time without a zone is UTC where its name says so (`stopTimeUtc`); else it is of the zone that its body names, or the
 * record, or else of `DEFAULT_TIME_ZONE`, or else UTC; but a local time (`stopTimeLocal`) of a zone that nobody tells is no time.
 */
function readTimeNamed(value: Json, key: string, clock: Clocks): number | null {
  if (/utc$/i.test(key)) return readTime(value, UTC)
  const unknown = /local$/i.test(key) ? NO_TIME : UTC
  return readTime(value, (shown) => (clock() ?? unknown)(shown))
}

const NO_TIME: Clock = () => Number.NaN

/**
 * What a document keeps of it in one form, for whoever reads many kinds of bodies; undefined when that is nothing.
 * @param card the record's own, which the document has anyway.
 */
export function factsOf(found: Found, card: string | null, isError: boolean): Facts | undefined {
  const currency = found.currency ?? currencyIn(found.amount)
  const facts: Facts = {}
  if (found.zoneId !== null) facts.zoneId = found.zoneId
  if (found.card !== null && card === null) facts.card = found.card
  if (found.plate !== null) facts.plate = found.plate
  if (found.startsAt !== null) facts.startsAt = new Date(found.startsAt)
  if (found.endsAt !== null) facts.endsAt = new Date(found.endsAt)
  if (found.amount !== null) facts.amount = amountOf(found.amount) as number
  if (currency !== null) facts.currency = currency
  if (found.errorCode !== null && isError) facts.errorCode = found.errorCode
  for (const _ in facts) return facts
  return undefined
}
