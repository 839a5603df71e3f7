import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../src/contract/record.ts'
import { createCards } from '../../../src/normalize/card-data.ts'
import { normalize } from '../../../src/normalize/normalize.ts'

const cards = createCards({ tokenKey: null, exemptPaths: [] })
const PRICE = {
  price: { parkingPrice: 3, transactionFee: 0.35, totalPrice: 3.35 },
  parkingStartTimeLocal: '2023-06-01T15:36:15',
  maxParkingTime: { hours: 2, totalMinutes: 120 },
  currency: 'USD',
}

/** The zone whose price a response tells. */
function zoneOf(response: Json, more: JsonObject = {}, type: 'event' | 'response' = 'response') {
  const record = { event_id: 'e1', http_status: 200, response, ...more }
  const normalized = normalize(type, null, record, cards)
  if ('reject' in normalized) throw new Error(normalized.message)
  return normalized.priceZone
}

describe('the zone of a price answer', () => {
  test.each<[string, string | null, Json, JsonObject]>([
    ['is named by the record', '67890', PRICE, { zone_id: '67890' }],
    ['is named by the body', '67890', { ...PRICE, zone: 67890 }, {}],
    ['is named by what was asked', '67890', PRICE, { payload: { zoneCode: '67890', minutes: 60 } }],
    ['stands in the query', '67890', PRICE, { endpoint: '/rates/price?minutes=60&zone=67890' }],
    ['stands in the path', 'A 1', PRICE, { endpoint: 'https://api.example.com/zones/A%201/price' }],
    ['may be within a wrapping', '67890', { 'application/json': { ...PRICE } }, { zone_id: '67890' }],
    ['is told by nobody', null, PRICE, {}],
    ['is encoded wrongly', null, PRICE, { endpoint: '/zones/%zz/price' }],
    ['is too long', null, PRICE, { endpoint: `/zones/${'z'.repeat(1_100)}/price` }],
  ])('%s', (_, zone, response, more) => {
    expect(zoneOf(response, more)).toBe(zone)
  })

  test.each<[string, Json, JsonObject]>([
    ['an error', { ...PRICE }, { zone_id: 'z', http_status: 500 }],
    ['what a session cost', { ...PRICE, sessionId: 'IC1' }, { zone_id: 'z' }],
    ['a zone answer', { isParkingAllowed: true, maxPerSessionMinutes: 60 }, { zone_id: 'z' }],
    ['a price that is only a number', { price: 3, currency: 'USD' }, { zone_id: 'z' }],
    ['no body', null, { zone_id: 'z' }],
  ])('is of no interest in %s', (_, response, more) => {
    expect(zoneOf(response, more)).toBeNull()
  })

  test('is of no interest in an event', () => {
    expect(zoneOf(PRICE, { zone_id: 'z' }, 'event')).toBeNull()
  })
})
