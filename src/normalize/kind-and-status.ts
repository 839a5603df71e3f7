import type { Kind } from '../contract/document.ts'
import type { Json, JsonObject } from '../contract/record.ts'
import type { Found } from './families/family.ts'
import { parkingRight } from './families/parking-right.ts'
import { sessionData } from './families/session-data.ts'
import { createRole } from './field-roles.ts'
import { isError } from './http-status.ts'
import { textOfId } from './identifiers.ts'
import { remember } from './remember.ts'

/**
 * What a record is about, and its status word. This file is the table of both; nothing else decides on them.
 *
 * Kind, the first that holds:
 *
 * | kind    | when                                                                            | status word |
 * |---------|---------------------------------------------------------------------------------|-------------|
 * | error   | http_status ≥ 400, 0 or not a number (absent or null is no error)               | String(http_status) |
 * | payment | event type `payment*`                                                           | own payment status, else own status |
 * | session | event type `parking_*`; or a session status; or an activate body                | own session status, else from the event type |
 * | status  | everything else                                                                 | own status |
 *
 * Status words are lower-case with `-` for `_`. A word that is not in these tables is kept as itself, and counted
 * (`pm_unknown_words_total`), and so are event types. A record without a word makes no observation.
 */
const SESSION_STATUSES: ReadonlySet<string> = new Set([
  'on-going', //   also `ON_GOING`
  'alerted', //    about to end, the driver was told
  'finished',
  'expired',
  'cancelled',
])

/** Status words beside those of sessions: of payments, of zones, of what an API says of its own call. */
const OTHER_STATUSES: ReadonlySet<string> = new Set(
  `success authorized captured completed paid pending failed declined refunded voided
  open closed active inactive ok`.split(/\s+/),
)

/** Event types, in snake_case, with the status word of those that tell it without a status of their own. */
const EVENT_TYPES: ReadonlyMap<string, string | null> = new Map([
  ['parking_start', 'on-going'],
  ['parking_extend', 'on-going'],
  ['parking_stop', 'finished'],
  ['parking_cancel', 'cancelled'],
  ['parking_status', null],
  ['parking_alert', null],
  ['parking_expire', null],
  ['session_update', null],
  ['payment_authorized', null],
  ['payment_captured', null],
  ['payment_completed', null],
  ['payment_success', null],
  ['payment_failed', null],
  ['payment_declined', null],
  ['payment_refunded', null],
  ['payment_voided', null],
])

/** An event's `status: "success"` tells that the call went well; of a payment it is the outcome, of a session it is none. */
const CALL_WENT_WELL = 'success'

export interface KindAndStatus {
  kind: Kind
  status: string | null
  /** Which of its words are in none of these tables; of an error it is the event type only. */
  unknown: Unknown | null
}

export type Unknown = 'status' | 'event_type' | 'both'

export function kindAndStatusOf(
  record: JsonObject,
  bodies: readonly JsonObject[],
  found: Pick<Found, 'status' | 'paymentStatus'>,
  eventType: string | null,
  httpStatus: number | string | null | undefined,
): KindAndStatus {
  const type = eventType === null ? null : plainType(eventType)
  const newType = type !== null && !EVENT_TYPES.has(type)
  if (isError(httpStatus))
    return { kind: 'error', status: readWord(String(httpStatus)), unknown: newType ? 'event_type' : null }
  const { kind, status } = meant(record, bodies, found, type ?? '')
  const newStatus = status !== null && !SESSION_STATUSES.has(status) && !OTHER_STATUSES.has(status)
  const unknown = newStatus ? (newType ? 'both' : 'status') : newType ? 'event_type' : null
  return { kind, status, unknown }
}

function meant(
  record: JsonObject,
  bodies: readonly JsonObject[],
  found: Pick<Found, 'status' | 'paymentStatus'>,
  type: string,
): Pick<KindAndStatus, 'kind' | 'status'> {
  const own = readWord(record.status)
  if (type.startsWith('payment')) return { kind: 'payment', status: found.paymentStatus ?? own }
  const status = (own === CALL_WENT_WELL ? null : own) ?? found.status
  if (type.startsWith('parking_')) return { kind: 'session', status: status ?? EVENT_TYPES.get(type) ?? null }
  const isSession = (status !== null && SESSION_STATUSES.has(status)) || bodies.some(isActivated)
  return { kind: isSession ? 'session' : 'status', status }
}

/** Event types are compared in snake_case: `parking_start` is also `PARKING-START` and `ParkingStart`. */
const plainType = remember((eventType) =>
  eventType
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-. ]/g, '_')
    .toLowerCase(),
)

/** A status word as it is published: lower-case, `_` → `-`. */
const word = remember((text) => text.trim().toLowerCase().replaceAll('_', '-'))

/** A status word; null: the value is none. */
export function readWord(value: Json | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? word(value) : null
}

/** The word that a value says of a session. */
export function readSessionWord(value: Json): string | null {
  const read = readWord(value)
  return read === CALL_WENT_WELL ? null : read
}

const SESSION_ID = createRole(`${sessionData.sessionId} ${parkingRight.sessionId}`.split(' '))
const START_TIME = createRole(['starttimeutc', 'starttime', 'parkingstarttimeutc', 'parkingstarttime'])
const STOP_TIME = createRole(['stoptimeutc', 'stoptime', 'parkingstoptimeutc', 'parkingstoptime'])

/**
 * The rates API's `activate` answer: a session id with the times it starts and stops. It names no status, and the same
 * body may describe a session long ended, so it makes no observation by itself.
 */
function isActivated(body: JsonObject): boolean {
  return (
    START_TIME.find(body, isGiven) !== null &&
    STOP_TIME.find(body, isGiven) !== null &&
    SESSION_ID.find(body, textOfId) !== null
  )
}

const isGiven = (value: Json) => (value === null || value === '' ? null : true)
