import type { Reject } from '../contract/dead-letter.ts'
import type { CacheContent, Kind } from '../contract/document.ts'
import type { Json, JsonObject, RecordType } from '../contract/record.ts'
import { bodiesOf } from './bodies.ts'
import { type Cards, Unstorable } from './card-data.ts'
import { eventContent } from './event.ts'
import { eventIdOf, idFromKey } from './event-id.ts'
import { createFinder } from './find.ts'
import { faultOf } from './identifiers.ts'
import { kindAndStatusOf, type Unknown } from './kind-and-status.ts'
import { priceZoneOf } from './price.ts'
import { isObject } from './put.ts'
import { isReject, reject } from './reject.ts'
import { responseContent } from './response.ts'
import { readTime } from './time.ts'
import { type Clock, clockNamedIn, NO_CLOCK, UTC } from './time-zone.ts'

/** What one record says, whatever its encoding and dialect; nothing in it is card data any more. */
export interface Normalized {
  /** Event id, the `_id` of the document. */
  id: string
  content: CacheContent
  kind: Kind
  /** Status word; null: the record makes no observation. */
  status: string | null
  /** Which of its words nobody has seen before. */
  unknown: Unknown | null
  sessionId: string | null
  /** The record's own time, epoch milliseconds, not yet capped; null when missing or unreadable. */
  time: number | null
  zoneId: string | null
  eventType: string | null
  card: string | null
  /** When the session ends, epoch milliseconds. */
  endsAt: number | null
  /** The zone whose price a successful response tells. */
  priceZone: string | null
}

/**
 * Normalizes a decoded record; never throws. The topic says which type it is.
 * @param key the record's Kafka key, which stands for a missing `event_id`.
 * @param zone of times for which nobody names one; null: UTC.
 */
export function normalize(
  type: RecordType,
  key: Buffer | null,
  value: Json,
  cards: Cards,
  zone: Clock | null = null,
): Normalized | Reject {
  if (!isObject(value)) {
    return reject('not_an_object', 'The value is not an object. Send a record with its fields by name.')
  }
  const record = cleaned(value, cards)
  return isRejected(record) ? record : read(type, key, record.clean, cards, zone)
}

/** The id of a record with a null value: its key. Give `cards` so that a card number in it has the token of the document. */
export function tombstoneId(key: Buffer | null, cards?: Cards): string | Reject {
  return idFromKey(key, cards)
}

function cleaned(value: JsonObject, cards: Cards): { clean: JsonObject } | Reject {
  try {
    return { clean: cards.clean(value) as JsonObject }
  } catch (error) {
    if (error instanceof Unstorable) return reject(error.reason, error.message)
    throw error
  }
}

/** What documents and observations need; `facts.ts` finds the rest, for readers. */
const find = createFinder(['sessionId', 'zoneId', 'card', 'endsAt', 'status', 'paymentStatus'])

const isRejected = (outcome: { clean: JsonObject } | Reject): outcome is Reject => !('clean' in outcome)

function read(
  type: RecordType,
  key: Buffer | null,
  record: JsonObject,
  cards: Cards,
  zone: Clock | null,
): Normalized | Reject {
  const id = eventIdOf(record.event_id, key, cards)
  if (typeof id !== 'string') return id
  const content = type === 'event' ? eventContent(record) : responseContent(record)
  if (isReject(content)) return content
  const bodies = bodiesOf(record)
  const found = find(record, bodies, zone)
  const eventType = typeof record.event_type === 'string' && record.event_type !== '' ? record.event_type : null
  const card = content.card ?? null
  const meaning = kindAndStatusOf(record, bodies, found, eventType, content.http_status)
  const tellsPrice = type === 'response' && meaning.kind === 'status'
  const normalized: Normalized = {
    id,
    content,
    ...meaning,
    sessionId: found.sessionId,
    time: readTime(record.timestamp, NO_CLOCK) ?? timeOfZone(record, zone),
    zoneId: found.zoneId,
    eventType,
    card: card ?? found.card,
    endsAt: found.endsAt,
    priceZone: tellsPrice ? priceZoneOf(record, bodies, found.sessionId, found.zoneId) : null,
  }
  return faultIn(normalized) ?? normalized
}

/** Of a timestamp without a zone. Most have one, and nothing is made for them. */
function timeOfZone(record: JsonObject, zone: Clock | null): number | null {
  return readTime(record.timestamp, (shown) => (clockNamedIn(record) ?? zone ?? UTC)(shown))
}

function faultIn({ sessionId, zoneId, eventType, status }: Normalized): Reject | null {
  return (
    faultOf('session id', sessionId) ??
    faultOf('zone_id', zoneId) ??
    faultOf('event_type', eventType) ??
    faultOf('status', status)
  )
}
