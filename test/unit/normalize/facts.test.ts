import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../src/contract/record.ts'
import { createCards } from '../../../src/normalize/card-data.ts'
import { factsOf } from '../../../src/normalize/facts.ts'
import { normalize } from '../../../src/normalize/normalize.ts'
import { clockOf } from '../../../src/normalize/time-zone.ts'

const cards = createCards({ tokenKey: 'a key for tests, of no other use', exemptPaths: [] })

function taken(type: 'event' | 'response', fields: JsonObject) {
  const outcome = normalize(type, null, { event_id: 'e1', ...fields }, cards)
  if ('reject' in outcome) throw new Error(outcome.message)
  return outcome
}

describe('what a body says is found', () => {
  const foundIn = (type: 'event' | 'response', fields: JsonObject, zone?: string) => {
    const clock = zone === undefined ? undefined : (clockOf(zone) ?? undefined)
    const facts = factsOf(taken(type, fields).content, clock)
    return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null))
  }
  const at = (time: string) => new Date(`2023-06-01T${time}Z`)
  const response = (body: Json, http_status = 200) => ({ http_status, response: body })

  test.each<[string, 'event' | 'response', JsonObject, object]>([
    [
      'in session_data',
      'event',
      {
        ...{ zone_id: '67890', card: 'card_1' },
        session_data: {
          ...{ session_id: 's1', start_time: 1685633775, end_time: '2023-06-01T17:36:15.000Z' },
          ...{ license_plate: ' ABC-123 ', amount: 4.5, currency: 'usd', card: 'card_2' },
        },
      },
      {
        ...{
          sessionId: 's1',
          card: 'card_1',
          zoneId: '67890',
          plate: 'ABC-123',
          startsAt: at('15:36:15'),
          endsAt: at('17:36:15'),
        },
        ...{ amount: 4.5, currency: 'USD' },
      },
    ],
    [
      'in the details of a vehicle and a payment, and a card that only they tell',
      'event',
      {
        session_data: { Vehicle: { LicensePlateNumber: 'X1' }, payment: { amount: '3', currency: 'EUR' } },
        card_number: '4111 1111 1111 1111',
      },
      { plate: 'X1', amount: 3, currency: 'EUR', card: expect.stringMatching(/^tok_/) },
    ],
    [
      'in the rates API: zone',
      'response',
      response({
        ...{ isParkingAllowed: 'True', maxPerSessionMinutes: 60, timeZoneStandardName: 'Eastern Standard Time' },
        ...{ startTimeUtc: '2023-06-01T15:36:15', durationSelections: '[{"minutes":60}]' },
      }),
      { startsAt: at('15:36:15') },
    ],
    [
      'in the rates API: price',
      'response',
      response({
        ...{ price: { parkingPrice: 2, transactionFee: 0.45, totalPrice: 2.45 }, currency: 'USD' },
        ...{ parkingStartTimeLocal: '2023-06-01T15:36:15', maxParkingTime: { hours: 1, totalMinutes: 60 } },
      }),
      { amount: 2.45, currency: 'USD' },
    ],
    [
      'in the rates API: price, of a zone with a known clock, in a localized amount',
      'response',
      response({
        ...{ price: { parkingPrice: '2,00 €', transactionFee: '0,45 €', totalPrice: '2,45 €' } },
        ...{ parkingStartTimeLocal: '2023-06-01T15:36:15', timeZone: 'Europe/Amsterdam' },
      }),
      { startsAt: at('13:36:15'), amount: 2.45, currency: 'EUR' },
    ],
    [
      'in the rates API: activate',
      'response',
      response({
        ...{
          sessionId: 'IC73443624523235N',
          lpn: 'ABC123',
          zone: 953987654321,
          createdAt: '2023-06-01T15:36:16.1234567',
        },
        ...{ startTimeUTC: '2023-06-01T15:36:15', stopTimeUTC: '2023-06-01T17:36:15' },
        price: { parkingPrice: { amount: 2, currency: 'USD' }, totalPrice: '2.45' },
      }),
      {
        sessionId: 'IC73443624523235N',
        ...{ zoneId: '953987654321', plate: 'ABC123', startsAt: at('15:36:15'), endsAt: at('17:36:15'), amount: 2.45 },
      },
    ],
    [
      'in a parking right',
      'response',
      response(
        {
          ...{ parkingrightId: 5016216071, licensePlate: 'AB12CD', amount: 0.25, totalPayedMinutes: 120 },
          ...{ startDate: '2023-06-01T15:36:15', endDate: '2023-06-01T17:36:15-0000', maxEndDate: '2023-06-02' },
          extraProperties: { amountCurrency: 'EUR', residenceAB: 'true' },
        },
        201,
      ),
      {
        sessionId: '5016216071',
        ...{ plate: 'AB12CD', startsAt: at('15:36:15'), endsAt: at('17:36:15'), amount: 0.25, currency: 'EUR' },
      },
    ],
    [
      'in the right that a refusal comes with',
      'response',
      response({ parkingrightId: 5016216071, licensePlate: 'AB12CD' }, 409),
      { sessionId: '5016216071', plate: 'AB12CD' },
    ],
    [
      'in an error: the code of the first of its causes',
      'response',
      response({ errors: [{ code: 1113, message: 'no' }, { code: 2 }], code: 21, message: 'Validation failed' }, 422),
      { errorCode: '1113' },
    ],
    [
      'in an error with fields',
      'response',
      response({ errors: [{ field: 'lpn', message: 'must not be blank' }], code: 21 }, 422),
      { errorCode: '21' },
    ],
    [
      'in a wrapped error',
      'response',
      response({ 'application/json': { errors: [{ code: 1113 }], zoneCode: '67890' } }, 422),
      { errorCode: '1113', zoneId: '67890' },
    ],
    ['but no code of what is no error', 'response', response({ code: 21, sessionId: 's1' }), { sessionId: 's1' }],
    [
      'but nothing that stands beside the body of a response, for the document has only that',
      'response',
      { ...response({ lpn: 'AB', status: 'finished' }), zone_id: '67890', session_id: 's1' },
      { plate: 'AB' },
    ],
    ['but nothing that is blank', 'event', { card: ' ', session_data: { lpn: '', zone: ' ' } }, {}],
    ['but nothing in no body', 'response', { http_status: 204 }, {}],
    ['but nothing in text', 'response', response('Bad Gateway', 502), {}],
    [
      'but nothing that cannot be read',
      'response',
      response({ zone: {}, lpn: 'x'.repeat(40), startTime: 'soon', amount: 'free', currency: 'money', price: [] }),
      {},
    ],
  ])('%s', (_, type, fields, facts) => expect(foundIn(type, fields)).toEqual(facts))

  test('and the body stays as it is', () => {
    const body = { Price: { TotalPrice: '2,45 €' }, lpn: ' AB ', startTimeUtc: '2023-06-01T15:36:15' }
    const outcome = taken('response', response(body))
    expect(factsOf(outcome.content)).toMatchObject({ amount: 2.45, currency: 'EUR', plate: 'AB' })
    expect(outcome.content.response).toBe(body)
  })

  test.each(['parking_start_time', 'ParkingStartTime', 'PARKING-START-TIME', 'parkingStartTime'])('as %s too', (name) =>
    expect(foundIn('event', { session_data: { [name]: '2023-06-01T15:36:15' } })).toEqual({
      startsAt: at('15:36:15'),
    }),
  )

  test('in the nearest body that has it', () => {
    const fields = { session_data: { lpn: 'NEAR', vrn: 'NOT-THE-BEST-NAME' }, license_plate: 'FAR', currency: 'EUR' }
    expect(foundIn('event', fields)).toEqual({ plate: 'NEAR', currency: 'EUR' })
  })

  test('in the clock of the settings, when nobody else tells', () => {
    const fields = { session_data: { start_time: '2023-06-01T15:36:15', startTimeUtc: null } }
    expect(foundIn('event', fields, 'America/New_York')).toEqual({ startsAt: at('19:36:15') })
  })

  test('and a card that only a body tells is the card of the status update, not of the document', () => {
    const outcome = taken('event', { session_data: { card: 'card_2' } })
    expect([outcome.card, outcome.content.card, factsOf(outcome.content).card]).toEqual(['card_2', undefined, 'card_2'])
  })
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
    if ('reject' in outcome) return outcome.reject
    return outcome.endsAt === null ? null : new Date(outcome.endsAt).toISOString()
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
