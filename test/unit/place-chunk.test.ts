import { describe, expect, test } from '@jest/globals'
import type { Reject } from '../../src/contract/dead-letter.ts'
import type { SourceRecord } from '../../src/contract/record.ts'
import { merge } from '../../src/documents/merge.ts'
import type { Normalized } from '../../src/normalize/normalize.ts'
import { toDocument, tombstoneDocument } from '../../src/normalize/place.ts'
import { type Placed, placeChunk, type Taken } from '../../src/place-chunk.ts'

const NOW = Date.UTC(2026, 4, 1, 12)
const MINUTE = 60_000
const options = { retentionMs: 1_000 * MINUTE, maxClockSkewMs: 5 * MINUTE }
const unstored = () => undefined

let offset = 0
/** @param arrived its Kafka timestamp, minutes before NOW */
const recordAt = (arrived: number): SourceRecord => ({
  ...{ topic: 'parkmobile.events', partition: 3, offset: String(offset++), timestamp: NOW - arrived * MINUTE },
  ...{ key: null, value: null, headers: {} },
})

interface Note {
  id?: string
  /** Its own time, minutes before NOW; null: without. */
  own?: number | null
  arrived?: number
  status?: string | null
  kind?: Normalized['kind']
  response?: string
}

function taken({ id = 'e1', own = null, arrived = own ?? 0, status = 'on-going', kind = 'session', response }: Note) {
  const normalized: Normalized = {
    ...{
      id,
      kind,
      status,
      sessionId: `session of ${id}`,
      zoneId: 'Z',
      eventType: null,
      card: 'card',
      endsAt: null,
      unknown: null,
      priceZone: null,
    },
    content: { card: 'card', http_status: kind === 'error' ? 500 : 200, response: response ?? `${id} ${own}` },
    time: own === null ? null : NOW - own * MINUTE,
  }
  return { record: recordAt(arrived), id, normalized }
}
const tombstone = (id: string, arrived: number) => ({ record: recordAt(arrived), id, normalized: null })

const place = (chunk: Taken[], createdAt: (id: string) => Date | undefined = unstored): Placed =>
  placeChunk(chunk, createdAt, NOW, options)
const entryOf = (placed: Placed, id = 'e1') => {
  const entry = placed.entries.get(id)
  if (!entry) throw new Error(`There is no entry of ${id}`)
  return entry
}
const observedMinutes = (placed: Placed) => placed.observations.map(({ at }) => (NOW - at) / MINUTE)
const alone = ({ record, normalized }: ReturnType<typeof taken>) =>
  toDocument(normalized, record, normalized.time as number, options.retentionMs)

describe('the records of one id', () => {
  test('are folded into one document, whatever their order', () => {
    const [first, newest, failure] = [
      taken({ own: 9 }),
      taken({ own: 2, status: 'finished' }),
      taken({ own: 1, kind: 'error', status: '500' }),
    ] as const
    const folded = [first, newest, failure].map(alone).reduce(merge)
    for (const chunk of [
      [first, newest, failure],
      [failure, newest, first],
      [newest, failure, first],
    ]) {
      const placed = place(chunk)
      expect([...placed.entries.keys()]).toEqual(['e1'])
      expect(entryOf(placed).document).toEqual(folded)
    }
    expect(folded).toMatchObject({ http_status: 500, cache: { lastSuccess: { response: 'e1 2' } } })
  })

  test('stay as parts beside it, in record order, each with the document that it makes alone', () => {
    const chunk = [taken({ own: 2 }), taken({ id: 'e2', own: 4 }), taken({ own: 9 })] as const
    const placed = place([...chunk])
    const [a, b, c] = chunk
    expect(entryOf(placed).parts).toEqual([
      { record: a.record, document: alone(a) },
      { record: c.record, document: alone(c) },
    ])
    expect(entryOf(placed, 'e2').parts).toEqual([{ record: b.record, document: alone(b) }])
  })

  test('keep the earliest arrival as createdAt and the latest as updatedAt', () => {
    const placed = place([taken({ own: 9, arrived: 5 }), taken({ own: 9, arrived: 8 }), taken({ own: 20, arrived: 1 })])
    expect(entryOf(placed).document).toMatchObject({
      createdAt: new Date(NOW - 8 * MINUTE),
      updatedAt: new Date(NOW - MINUTE),
    })
  })
})

describe('a tombstone', () => {
  test('erases what the chunk says before it and after it of an earlier time', () => {
    const erasing = tombstone('e1', 4)
    const placed = place([taken({ own: 9 }), erasing, taken({ own: 5, arrived: 3 })])
    const { document, parts } = entryOf(placed)
    expect(document).toEqual({
      ...tombstoneDocument('e1', erasing.record, options.retentionMs),
      createdAt: new Date(NOW - 9 * MINUTE),
      updatedAt: new Date(NOW - 3 * MINUTE),
    })
    expect(parts).toHaveLength(3)
  })

  test('makes no observation, and gives way to a newer record', () => {
    const placed = place([tombstone('e1', 4), tombstone('e1', 3), taken({ own: 1 })])
    expect(observedMinutes(placed)).toEqual([1])
    expect(entryOf(placed)).toMatchObject({ document: { http_status: 200, response: 'e1 1' } })
  })

  test('that comes first gives its time to a record without one', () => {
    expect(observedMinutes(place([tombstone('e1', 7), taken({ arrived: 2 })]))).toEqual([7])
  })
})

describe('what has expired on arrival', () => {
  test('is counted, not stored and not announced', () => {
    const placed = place([
      taken({ id: 'old', own: 1_001, arrived: 1 }),
      taken({ id: 'just', own: 1_000, arrived: 1 }),
      tombstone('erased', 1_000),
      taken({ id: 'yet', own: 999, arrived: 1 }),
      tombstone('erasing', 999),
    ])
    expect(placed.expired).toHaveLength(3)
    expect([...placed.entries.keys()]).toEqual(['yet', 'erasing'])
    expect(placed.observations.map(({ event_id }) => event_id)).toEqual(['yet'])
  })

  test('lends no time to a later record without one', () => {
    const placed = place([taken({ own: 2_000, arrived: 9 }), taken({ arrived: 2 })])
    expect([placed.expired.length, observedMinutes(placed)]).toEqual([1, [2]])
  })

  test('is judged for a record without a time by when its document was created', () => {
    const placed = place([taken({ arrived: 1 })], () => new Date(NOW - 1_000 * MINUTE))
    expect([placed.expired.length, placed.entries.size]).toEqual([1, 0])
  })
})

describe('a record without a usable time takes', () => {
  const stored = (minutes: number) => () => new Date(NOW - minutes * MINUTE)

  test("Kafka's time when it is the first of its id", () => {
    expect(observedMinutes(place([taken({ arrived: 6 })]))).toEqual([6])
  })
  test('the createdAt of the stored document', () => {
    expect(observedMinutes(place([taken({ arrived: 6 })], stored(30)))).toEqual([30])
  })
  test('that of its own id only', () => {
    const createdAt = (id: string) => (id === 'e2' ? new Date(NOW - 30 * MINUTE) : undefined)
    expect(observedMinutes(place([taken({ arrived: 6 }), taken({ id: 'e2', arrived: 6 })], createdAt))).toEqual([6, 30])
  })
  test('the earliest arrival in this chunk, so that its copy does not look newer', () => {
    const placed = place([taken({ arrived: 6 }), taken({ arrived: 4 }), taken({ arrived: 2 })])
    expect(observedMinutes(placed)).toEqual([6, 6, 6])
  })
  test('the arrival, not the own time, of an earlier record', () => {
    expect(observedMinutes(place([taken({ own: 50, arrived: 6 }), taken({ arrived: 4 })]))).toEqual([50, 6])
  })
  test.each([
    [30, 30],
    [3, 6],
  ])('the earlier of stored (%i) and this chunk (6)', (minutes, expected) => {
    const placed = place([taken({ own: 1, arrived: 6 }), taken({ arrived: 2 })], stored(minutes))
    expect(observedMinutes(placed)).toEqual([1, expected])
  })
})

test('a time in the future is capped at the allowed skew after its arrival', () => {
  const placed = place([taken({ own: -90, arrived: 10 })])
  expect(observedMinutes(placed)).toEqual([5])
  expect(entryOf(placed).document.cache.observedAt).toEqual(new Date(NOW - 5 * MINUTE))
})

test('observations stand in record order over all ids; without a status word there is a document but none of them', () => {
  const chunk = [
    taken({ id: 'b', own: 1, status: 'finished' }),
    taken({ id: 'a', own: 5 }),
    taken({ id: 'c', own: 4, status: null }),
    taken({ id: 'b', own: 9 }),
  ]
  const placed = place(chunk)
  expect(placed.observations.map(({ event_id, status, source }) => [event_id, status, source.offset])).toEqual([
    ['b', 'finished', chunk[0]?.record.offset],
    ['a', 'on-going', chunk[1]?.record.offset],
    ['b', 'on-going', chunk[3]?.record.offset],
  ])
  expect([...placed.entries.keys()]).toEqual(['b', 'a', 'c'])
})

test('rejects are handed on in order, and touch nothing else', () => {
  const rejects = (['invalid_json', 'too_deep'] as const).map((reject) => {
    const why: Reject = { reject, message: 'mend it' }
    return { record: recordAt(1), reject: why }
  })
  const [first, second] = rejects as [(typeof rejects)[0], (typeof rejects)[0]]
  const placed = place([first, taken({ own: 1 }), second])
  expect(placed.rejects).toEqual(rejects)
  expect([placed.entries.size, placed.observations.length, placed.expired.length]).toEqual([1, 1, 0])
})

test('of nothing comes nothing', () => {
  expect(place([])).toEqual({
    entries: new Map(),
    prices: new Map(),
    observations: [],
    rejects: [],
    expired: [],
    unknown: { status: 0, event_type: 0 },
  })
})

describe('price objects', () => {
  const price = (zone: string, own: number, total: number, arrived = 0) => ({
    ...taken({ id: `p${total}`, own, arrived, kind: 'status', status: null }),
    price: { zone, content: { http_status: 200, response: { price: { totalPrice: total } } } },
  })
  const pricesOf = (chunk: Parameters<typeof placeChunk>[0]) => {
    const { prices } = placeChunk(chunk, () => undefined, NOW, options)
    return [...prices.values()].map(({ _id, response, cache }) => [_id, response, cache.expiresAt])
  }

  test('hold the newest answer of a zone, in whatever order answers come, for thirty days', () => {
    const chunk = [price('Z1', 3, 300), price('Z1', 1, 100), price('Z1', 2, 200), price('Z2', 9, 900)]
    const expected = [
      ['Z1', { price: { totalPrice: 100 } }, new Date(NOW - MINUTE + 30 * 86_400_000)],
      ['Z2', { price: { totalPrice: 900 } }, new Date(NOW - 9 * MINUTE + 30 * 86_400_000)],
    ]
    expect(pricesOf(chunk)).toEqual(expected)
    expect(pricesOf([...chunk].reverse()).sort()).toEqual(expected)
  })

  test('are not made of answers that have expired', () => {
    expect(pricesOf([price('Z1', 31 * 1_440, 1, 31 * 1_440)])).toEqual([])
  })
})
