import { describe, expect, test } from '@jest/globals'
import { orderOf, tombstoneOrder } from '../../../src/contract/order.ts'
import type { SourceRecord } from '../../../src/contract/record.ts'
import type { Normalized } from '../../../src/normalize/normalize.ts'
import { observedTime, toDocument, tombstoneDocument, toObservation } from '../../../src/normalize/place.ts'

const DAY = 86_400_000
const record: SourceRecord = {
  topic: 'parkmobile.events',
  partition: 3,
  offset: '42',
  timestamp: 2_000_000,
  key: null,
  value: null,
  headers: {},
}
const normalized: Normalized = {
  id: 'e1',
  content: { card: 'card_1', http_status: 200, response: { zone_id: '67890' } },
  kind: 'session',
  status: 'on-going',
  sessionId: 's1',
  time: 1_000_000,
  zoneId: '67890',
  eventType: 'parking_start',
  card: 'card_1',
  endsAt: null,
  unknown: null,
  priceZone: null,
}

describe('the observed time is', () => {
  test("the record's own", () => expect(observedTime(1000, 5000, undefined, 100)).toBe(1000))
  test("at most the allowed skew after Kafka's", () => expect(observedTime(9000, 5000, 1, 100)).toBe(5100))
  test("the document's createdAt without an own one", () => expect(observedTime(null, 5000, 4000, 100)).toBe(4000))
  test("Kafka's when there is no document either", () => expect(observedTime(null, 5000, undefined, 100)).toBe(5000))
})

test('a document has its content at the top and all else in cache', () => {
  expect(toDocument(normalized, record, 1_500_000, 90 * DAY)).toEqual({
    _id: 'e1',
    card: 'card_1',
    http_status: 200,
    response: { zone_id: '67890' },
    createdAt: new Date(2_000_000),
    updatedAt: new Date(2_000_000),
    cache: {
      kind: 'session',
      status: 'on-going',
      sessionId: 's1',
      observedAt: new Date(1_500_000),
      order: orderOf(1_500_000, 'on-going', record),
      source: { topic: 'parkmobile.events', partition: 3, offset: 42 },
      expiresAt: new Date(1_500_000 + 90 * DAY),
    },
  })
})

test('a tombstone has nothing of the person, and stands above all records of its time', () => {
  const document = tombstoneDocument('e1', record, DAY)
  expect(document).toEqual({
    _id: 'e1',
    http_status: 410,
    createdAt: new Date(2_000_000),
    updatedAt: new Date(2_000_000),
    cache: {
      kind: 'tombstone',
      status: null,
      sessionId: null,
      observedAt: new Date(2_000_000),
      order: tombstoneOrder(2_000_000, record),
      source: { topic: 'parkmobile.events', partition: 3, offset: 42 },
      expiresAt: new Date(2_000_000 + DAY),
    },
  })
  expect(document.cache.order > toDocument(normalized, record, 2_000_000, DAY).cache.order).toBe(true)
})

describe('an observation', () => {
  test('says all that a status update needs', () => {
    expect(toObservation(normalized, record, 1_500_000)).toEqual({
      key: 's1',
      kind: 'session',
      status: 'on-going',
      at: 1_500_000,
      event_id: 'e1',
      session_id: 's1',
      card: 'card_1',
      zone_id: '67890',
      event_type: 'parking_start',
      http_status: 200,
      ends_at: null,
      source: { topic: 'parkmobile.events', partition: 3, offset: '42' },
    })
  })

  test('has the event id as its key without a session', () => {
    const { http_status: _, ...content } = normalized.content
    const observation = toObservation({ ...normalized, sessionId: null, content }, record, 1)
    expect(observation).toMatchObject({ key: 'e1', session_id: null, http_status: null })
  })

  test('is none without a status word', () => {
    expect(toObservation({ ...normalized, status: null }, record, 1)).toBeNull()
  })
})
