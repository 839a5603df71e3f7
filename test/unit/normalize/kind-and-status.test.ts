import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../src/contract/record.ts'
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
