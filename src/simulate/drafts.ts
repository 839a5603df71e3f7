import type { RecordType } from '../contract/record.ts'
import type { Random } from './random.ts'
import type { Parked } from './responses.ts'
import { anyForm, iso } from './time-forms.ts'
import type { Body } from './traffic-record.ts'

/** A record before its encoding is drawn. */
export interface Draft {
  type: RecordType
  /** The event type, or the endpoint without its ids. */
  label: string
  eventId: string
  /** Kafka key: usually the session id, else the event id. */
  key: string
  body: Body
  /** Without a time of its own it must stay on one partition, and no tombstone may meet it: Kafka's order is its order. */
  timeless: boolean
}

/** How one client writes its events. */
export interface Dialect {
  idField: 'session_id' | 'sessionId' | 'parkingrightId'
  statuses: 'lower' | 'upper'
}

export interface EventFacts {
  eventId: string
  eventType: string
  /** `success`, or a session status word. */
  status: string | undefined
  at: number
  /** The answer to the same call has this event id too. */
  shared: boolean
}

/** An event record about a session. */
export function eventDraft(facts: EventFacts, parked: Parked, dialect: Dialect, random: Random): Draft {
  const { timestamp, timeless } = ownTime(facts.at, facts.shared, random)
  const keyOnly = random.chance(0.01)
  const body: Body = {
    event_id: keyOnly ? undefined : facts.eventId,
    event_type: facts.eventType,
    card: random.chance(0.97) ? parked.driver.card : undefined,
    zone_id: parked.zone.id,
    session_data: random.chance(0.99) ? sessionData(facts, parked, dialect, random) : null,
    timestamp,
    status: spell(facts.status, dialect),
    user_id: parked.driver.userId,
    ...extras(random),
  }
  const key = keyOnly ? facts.eventId : String(parked.id)
  return { type: 'event', label: facts.eventType, eventId: facts.eventId, key, body, timeless }
}

function sessionData(facts: EventFacts, parked: Parked, dialect: Dialect, random: Random): Body {
  const data: Body = {
    [dialect.idField]: parked.id,
    start_time: iso(parked.start),
    end_time: anyForm(parked.end, random),
    license_plate: parked.driver.plate,
    duration_minutes: Math.round((parked.end - parked.start) / 60_000),
    amount: parked.paid / 100,
  }
  if (facts.eventType.startsWith('payment_')) {
    data.payment = {
      method: 'card',
      cvv: random.digits(3),
      expiry_month: random.int(1, 12),
      expiry_year: 2031,
      amount: parked.paid / 100,
    }
  }
  return data
}

const spell = (status: string | undefined, dialect: Dialect) =>
  dialect.statuses === 'upper' && status !== undefined ? status.toUpperCase().replaceAll('-', '_') : status

/** Past any retention that is usual: the record has expired on arrival. */
const LONG_AGO = 400 * 86_400_000

/** Mostly the moment itself, now and then nothing, nonsense, or a clock that is far ahead or behind. */
function ownTime(at: number, shared: boolean, random: Random): { timestamp: unknown; timeless: boolean } {
  const draw = random.next()
  if (draw < 0.0003) return { timestamp: '2099-01-01T00:00:00Z', timeless: false }
  if (draw < 0.001) return { timestamp: iso(at - LONG_AGO), timeless: false }
  if (draw > 0.01 || shared) return { timestamp: anyForm(at, random), timeless: false }
  return { timestamp: random.pick([undefined, null, 'yesterday', '']), timeless: true }
}

/** Fields that nobody told us about. */
function extras(random: Random): Body {
  const draw = random.next()
  if (draw < 0.1)
    return {
      app_version: `${random.int(3, 9)}.${random.int(0, 20)}.0`,
      platform: random.pick(['ios', 'android', 'web']),
    }
  if (draw < 0.12) return { trace: { 'span.id': random.hex(8), $sampled: random.chance(0.5) } }
  return draw < 0.13 ? { payload: { note: 'paid with 4111 1111 1111 1111', tags: [] } } : {}
}

export interface AnswerFacts {
  eventId: string
  /** Session id in the record's key; null: the event id is the key. */
  about: Parked | null
  endpoint: string
  method: 'GET' | 'POST' | 'PUT'
  httpStatus: unknown
  response: unknown
  card: string | null | undefined
  at: number
  /** The event of the same call has this event id too. */
  shared: boolean
}

/** A response record: what the API answered. */
export function answerDraft(facts: AnswerFacts, random: Random): Draft {
  const { timestamp, timeless } = ownTime(facts.at, facts.shared, random)
  const body: Body = {
    event_id: facts.eventId,
    card: random.chance(0.97) ? facts.card : undefined,
    http_status: facts.httpStatus,
    response: facts.response,
    timestamp,
    endpoint: facts.endpoint,
    method: facts.method,
    duration_ms: random.int(8, 2400),
    payload: random.chance(0.15) ? { request: { zone: 1, cc_number: '4111111111111111', lang: 'en' } } : undefined,
  }
  const key = facts.about && random.chance(0.5) ? String(facts.about.id) : facts.eventId
  return { type: 'response', label: facts.endpoint.replace(/\/\d+$/, ''), eventId: facts.eventId, key, body, timeless }
}
