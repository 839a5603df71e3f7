import { beforeEach, describe, expect, test } from '@jest/globals'
import type { InputRecord, ModelSettings } from '../../model/input.ts'
import { createModel, documentOf, type Model } from '../../model/model.ts'

const DAY = 86_400_000
const NOON = Date.UTC(2024, 5, 1, 12)
const SETTINGS: ModelSettings = {
  eventsTopics: ['events'],
  retentionMs: 90 * DAY,
  maxClockSkewMs: 300_000,
  tokenKey: 'a key for tests',
  schemas: null,
  now: NOON,
}

let model: Model
let offset = 0

beforeEach(() => {
  model = createModel(SETTINGS)
  offset = 0
})

/** The next record of a partition; each is appended a second after the one before. */
function record(value: unknown, where: Partial<InputRecord> = {}): InputRecord {
  const timestamp = NOON + 1000 * offset
  const bytes = value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return { topic: 'events', partition: 0, offset: offset++, timestamp, key: null, value: bytes, ...where }
}

async function given(...records: InputRecord[]): Promise<void> {
  for (const one of records) await model.take(one)
}

async function document(id: string) {
  const state = model.documents.get(id)
  return state && documentOf(id, state, SETTINGS)
}

const START = {
  event_id: 'e1',
  event_type: 'parking_start',
  card: '411111------1111',
  zone_id: '953912345678',
  session_data: { session_id: 's1', end_time: '2024-06-01T13:00:00' },
  timestamp: '2024-06-01T11:00:00Z',
  status: 'success',
  colour: 'red',
}
const response = (fields: object) => record({ event_id: 'e1', ...fields }, { topic: 'responses' })
const minutes = (count: number) => new Date(Date.UTC(2024, 5, 1, 11, count)).toISOString()

describe('of an event, the model expects', () => {
  test('a document with what the design says, unknown fields kept', async () => {
    await given(record(START))
    expect(await document('e1')).toEqual({
      _id: 'e1',
      card: '411111------1111',
      http_status: 200,
      response: {
        event_type: 'parking_start',
        zone_id: '953912345678',
        session_data: { session_id: 's1', end_time: '2024-06-01T13:00:00' },
        timestamp: '2024-06-01T11:00:00Z',
        status: 'success',
        colour: 'red',
      },
      createdAt: NOON,
      updatedAt: NOON,
      facts: { sessionId: 's1', zoneId: '953912345678', card: '411111------1111', endsAt: Date.UTC(2024, 5, 1, 13) },
      cache: {
        kind: 'session',
        status: 'on-going',
        sessionId: 's1',
        observedAt: Date.UTC(2024, 5, 1, 11),
        source: { topic: 'events', partition: 0, offset: 0 },
        expiresAt: Date.UTC(2024, 5, 1, 11) + 90 * DAY,
        erased: false,
      },
    })
  })

  test('an observation under the session', async () => {
    await given(record(START))
    expect(model.observations.get('s1')).toEqual([
      {
        event_id: 'e1',
        session_id: 's1',
        card: '411111------1111',
        zone_id: '953912345678',
        kind: 'session',
        event_type: 'parking_start',
        status: 'on-going',
        http_status: 200,
        occurred_at: '2024-06-01T11:00:00.000Z',
        ends_at: '2024-06-01T13:00:00.000Z',
        source: { topic: 'events', partition: 0, offset: '0' },
      },
    ])
  })

  test.each([
    ['the record itself', { status: 'ON_GOING' }, 'session', 'on-going'],
    ['its type', { event_type: 'parking_cancel' }, 'session', 'cancelled'],
    ['the payment', { event_type: 'payment_failed', status: 'failed' }, 'payment', 'failed'],
    ['an error', { http_status: 422 }, 'error', '422'],
    ['a network error', { http_status: 'ETIMEDOUT' }, 'error', 'etimedout'],
  ])('the status word from %s', async (_, fields, kind, status) => {
    await given(record({ ...START, ...fields }))
    expect(model.observations.get('s1')).toMatchObject([{ kind, status }])
  })

  test('no raw card number and no security code', async () => {
    const payment = { cvv: '123', note: 'with 4111 1111-1111 1111' }
    await given(record({ ...START, card: '4111111111111111', session_data: { session_id: 's1', payment } }))
    const stored = await document('e1')
    expect(stored?.card).toMatch(/^tok_[0-9a-f]{32}$/)
    expect(stored).toMatchObject({ response: { session_data: { payment: { note: `with ${stored?.card}` } } } })
    expect(JSON.stringify(stored)).not.toContain('cvv')
  })
})

test('of a response, the model expects facts of its body alone, and all of the record in what is announced', async () => {
  await given(
    response({ http_status: 200, zone_id: '67890', session_id: 's1', response: { lpn: 'AB', status: 'finished' } }),
  )
  expect((await document('e1'))?.facts).toEqual({ plate: 'AB' })
  expect(model.observations.get('s1')).toMatchObject([{ zone_id: '67890', status: 'finished' }])
})

describe('of several records of one id, the model expects', () => {
  test('that the newest by its own time wins, wherever it comes', async () => {
    await given(response({ http_status: '200', response: { a: 1 }, timestamp: minutes(5) }), record(START))
    expect(await document('e1')).toMatchObject({ http_status: 200, response: { a: 1 }, createdAt: NOON })
    expect(await document('e1')).not.toHaveProperty('card')
  })

  test('that a newer error keeps the newest success', async () => {
    await given(record(START), response({ http_status: 0, timestamp: minutes(9) }))
    expect(await document('e1')).toMatchObject({
      http_status: 0,
      cache: { kind: 'error', lastSuccess: { card: '411111------1111', observedAt: Date.UTC(2024, 5, 1, 11) } },
    })
  })

  test('that a tombstone invalidates it and nothing older comes back', async () => {
    await given(
      record(START),
      record(null, { key: Buffer.from('e1') }),
      response({ http_status: 500, timestamp: minutes(1) }),
    )
    expect(await document('e1')).toMatchObject({ http_status: 410, cache: { kind: 'tombstone', status: null } })
    expect(await document('e1')).not.toHaveProperty('response')
    expect(await document('e1')).not.toHaveProperty('cache.lastSuccess')
  })

  test('that a second copy without a time of its own is not newer', async () => {
    const { timestamp: _, ...timeless } = START
    await given(record(timeless), record(timeless))
    expect(await document('e1')).toMatchObject({ cache: { observedAt: NOON }, updatedAt: NOON + 1000 })
  })

  test('that a clock which runs ahead is capped', async () => {
    await given(record({ ...START, timestamp: '2099-01-01T00:00:00Z' }))
    expect(await document('e1')).toMatchObject({ cache: { observedAt: NOON + 300_000 } })
  })
})

describe('nothing but a count comes of', () => {
  test('a record that has expired on arrival', async () => {
    await given(record({ ...START, timestamp: '2024-01-01T00:00:00Z' }))
    expect([model.counts.expired, model.documents.size, model.observations.size]).toEqual([1, 0, 0])
  })
})

describe('a dead letter comes of', () => {
  test.each([
    ['', 'empty_value'],
    ['{"event_id":"e', 'invalid_json'],
    ['[]', 'not_an_object'],
    ['{}', 'missing_event_id'],
    ['{"event_id":{}}', 'invalid_field'],
    [`{"event_id":"${'x'.repeat(1025)}"}`, 'field_too_long'],
    ['{"event_id":"e","payload":{"a\\u0000":1}}', 'nul_in_key'],
    [`{"event_id":"e","payload":${'['.repeat(200)}${']'.repeat(200)}}`, 'too_deep'],
    [`{"event_id":"e","payload":1${'2'.repeat(35)}}`, 'number_out_of_range'],
    ['\u0000\u0000\u0000\u0000\u0001', 'no_registry'],
  ])('%j: %s', async (value, reason) => {
    await given(record(value))
    expect(model.deadLetters.get('events/0/0')).toMatchObject({ reason })
  })
})
