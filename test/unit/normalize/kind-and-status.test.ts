import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../src/contract/record.ts'
import { createCards } from '../../../src/normalize/card-data.ts'
import { normalize } from '../../../src/normalize/normalize.ts'

const cards = createCards({ tokenKey: null, exemptPaths: [] })

function meaning(type: 'event' | 'response', fields: JsonObject): [string, string | null] {
  const outcome = normalize(type, null, { event_id: 'e1', ...fields }, cards)
  if ('reject' in outcome) throw new Error(outcome.message)
  return [outcome.kind, outcome.status]
}

const ACTIVATED = {
  sessionId: 'IC73443624523235N',
  lpn: 'ABC123',
  zone: '953987654321',
  startTimeUTC: '2023-06-01T15:36:15Z',
  stopTimeUTC: '2023-06-01T17:36:15Z',
}

describe('an event', () => {
  test.each<[string, JsonObject, string, string | null]>([
    ['starts a session', { event_type: 'parking_start' }, 'session', 'on-going'],
    ['extends it', { event_type: 'parking_extend', status: 'success' }, 'session', 'on-going'],
    ['stops it', { event_type: 'parking_stop', status: 'SUCCESS' }, 'session', 'finished'],
    ['cancels it', { event_type: 'parking_cancel' }, 'session', 'cancelled'],
    ['is spelled otherwise', { event_type: 'ParkingStart' }, 'session', 'on-going'],
    ['is spelled otherwise again', { event_type: 'PARKING-STOP' }, 'session', 'finished'],
    ['names its own status', { event_type: 'parking_stop', status: 'expired' }, 'session', 'expired'],
    ['names it in capitals', { event_type: 'parking_start', status: 'ON_GOING' }, 'session', 'on-going'],
    [
      'has it in session_data',
      { event_type: 'parking_status', session_data: { status: 'ALERTED' } },
      'session',
      'alerted',
    ],
    ['has it nowhere', { event_type: 'parking_status', status: 'success' }, 'session', null],
    ['says only a session status', { event_type: 'session_update', status: 'expired' }, 'session', 'expired'],
    ['says an unknown word', { event_type: 'zone_update', status: 'Half_Open' }, 'status', 'half-open'],
    ['says nothing', { event_type: 'zone_update', status: 'success' }, 'status', null],
    ['pays', { event_type: 'payment_authorized', status: 'authorized' }, 'payment', 'authorized'],
    ['pays well', { event_type: 'payment_completed', status: 'success' }, 'payment', 'success'],
    [
      'has a payment status',
      { event_type: 'payment_x', status: 'success', session_data: { paymentStatus: 'CAPTURED' } },
      'payment',
      'captured',
    ],
    ['pays without a word', { event_type: 'payment_completed' }, 'payment', null],
    ['is an error', { event_type: 'parking_start', http_status: 503 }, 'error', '503'],
    ['has no http_status on purpose', { event_type: 'parking_start', http_status: null }, 'session', 'on-going'],
  ])('%s', (_, fields, kind, status) => expect(meaning('event', fields)).toEqual([kind, status]))
})

describe('a response', () => {
  test.each<[string, JsonObject, string, string | null]>([
    ['activates', { http_status: 200, response: ACTIVATED }, 'session', null],
    ['activates, wrapped', { http_status: '200', response: { 'application/json': ACTIVATED } }, 'session', null],
    [
      'is a right with a status',
      { http_status: 200, response: { parkingrightId: 5016216071, status: 'ON_GOING' } },
      'session',
      'on-going',
    ],
    ['is a right without one', { http_status: 200, response: { parkingrightId: 5016216071 } }, 'status', null],
    ['is a price', { http_status: 200, response: { price: { totalPrice: 2.5 } } }, 'status', null],
    ['fails', { http_status: 422, response: { errors: [] } }, 'error', '422'],
    ['fails with text', { http_status: '422' }, 'error', '422'],
    ['fails with a word', { http_status: 'ETIMEDOUT' }, 'error', 'etimedout'],
    ['fails with 0', { http_status: 0, response: ACTIVATED }, 'error', '0'],
    ['fails with an empty text', { http_status: '' }, 'error', null],
    ['has no http_status', { response: { status: 'finished' } }, 'session', 'finished'],
    [
      'has a status inside something else',
      { http_status: 200, response: { a: 1, payment: { status: 'x' } } },
      'status',
      null,
    ],
  ])('%s', (_, fields, kind, status) => expect(meaning('response', fields)).toEqual([kind, status]))
})

describe('the session is found', () => {
  const sessionOf = (type: 'event' | 'response', fields: JsonObject) => {
    const outcome = normalize(type, null, { event_id: 'e1', ...fields }, cards)
    return 'reject' in outcome ? outcome.reject : outcome.sessionId
  }

  test.each<[string, 'event' | 'response', JsonObject, string | null]>([
    ['in session_data', 'event', { session_data: { session_id: 's1' }, session_id: 's2' }, 's1'],
    ['in the record', 'event', { session_data: {}, sessionId: 's2' }, 's2'],
    ['in PascalCase', 'event', { session_data: { SessionId: 's3' } }, 's3'],
    ['as a parking right', 'response', { response: { parkingrightId: 5016216071 } }, '5016216071'],
    [
      'as an integer beyond 2^53',
      'response',
      { response: { parking_right_id: 9007199254740993n } },
      '9007199254740993',
    ],
    ['one level deep', 'response', { response: { 'application/json': { sessionId: 's4' } } }, 's4'],
    ['in a list of one', 'response', { response: [{ sessionId: 's5' }] }, 's5'],
    ['not in a list of two', 'response', { response: [{ sessionId: 's5' }, { sessionId: 's6' }] }, null],
    ['not when blank', 'event', { session_data: { session_id: ' ' }, session_id: null }, null],
    ['not when it is no id', 'event', { session_data: { session_id: { a: 1 } } }, null],
    ['not when it is too long', 'event', { session_data: { session_id: 'x'.repeat(1025) } }, 'field_too_long'],
  ])('%s', (_, type, fields, expected) => expect(sessionOf(type, fields)).toBe(expected))
})

describe('the end is found', () => {
  const endOf = (body: Json) => {
    const outcome = normalize('event', null, { event_id: 'e1', session_data: body }, cards)
    return 'reject' in outcome ? outcome.reject : outcome.endsAt
  }

  test.each<[string, Json, string | null]>([
    ['as stopTimeUTC', { stopTimeUTC: '2023-06-01T17:36:15' }, '2023-06-01T17:36:15.000Z'],
    ['as end_time', { end_time: 1685640975 }, '2023-06-01T17:36:15.000Z'],
    ['as endDate', { endDate: '2023-06-01T17:36:15-0000' }, '2023-06-01T17:36:15.000Z'],
    ['as ends_at, exactly as it is', { ends_at: '2023-06-01T17:36:15.123Z' }, '2023-06-01T17:36:15.123Z'],
    ['stop before end', { endTime: '2023-06-02', parking_stop_time: '2023-06-01' }, '2023-06-01T00:00:00.000Z'],
    ['the next name when one cannot be read', { stopTime: 'soon', endTime: '2023-06-02' }, '2023-06-02T00:00:00.000Z'],
    ['not in the latest possible end', { maxEndDate: '2023-06-02' }, null],
    ['not in a local time', { stopTimeLocal: '2023-06-02' }, null],
    ['in a local time with its offset', { stopTimeLocal: '2023-06-01T15:36:15-04:00' }, '2023-06-01T19:36:15.000Z'],
    [
      'in a local time of a zone that stands beside it',
      { stopTimeLocal: '2023-06-01T15:36:15', timeZoneStandardName: 'Eastern Standard Time' },
      '2023-06-01T19:36:15.000Z',
    ],
    [
      'in UTC where the name says so, whatever zone stands beside it',
      { stopTimeUtc: '2023-06-01T15:36:15', timeZone: 'America/New_York' },
      '2023-06-01T15:36:15.000Z',
    ],
  ])('%s', (_, body, expected) => expect(endOf(body)).toBe(expected))
})

test.each<[string, JsonObject, string | null]>([
  ['zone_id', { zone_id: '67890', session_data: { zone: '1' } }, '67890'],
  ['a number', { zone_id: 67890 }, '67890'],
  ['the body', { response: { zone: '953987654321' } }, '953987654321'],
  ['nothing', { zone_id: null }, null],
])('the zone is taken from %s', (_, fields, expected) => {
  const outcome = normalize('response', null, { event_id: 'e1', ...fields }, cards)
  expect('reject' in outcome ? outcome.reject : outcome.zoneId).toBe(expected)
})
