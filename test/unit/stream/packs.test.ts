import { describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import type { Observation } from '../../../src/contract/observation.ts'
import { type Traceparent, traceparent } from '../../../src/contract/trace-context.ts'
import { pack, sinceOf, unpack } from '../../../src/stream/packs.ts'
import { partitionOf } from '../../../src/stream/partitions.ts'
import { cutBySize, MAX_SEND_BYTES } from '../../../src/stream/send.ts'
import { eachContextOfRows } from '../../../src/stream/trace-messages.ts'

const observation = (key: string, at: number, filler = ''): Observation => ({
  ...{ key, kind: 'session', status: 'on-going', at, event_id: `e${at}`, session_id: key, card: filler || null },
  ...{ zone_id: null, event_type: null, http_status: 200, ends_at: null },
  source: { topic: 'events', partition: 0, offset: String(at) },
})

const contextOfNumber = (number: number) => traceparent((number + 1).toString(16).padStart(32, '0'), 'b'.repeat(16), 1)

/** Headers as a consumer gets them: bytes. */
const received = (headers: Record<string, unknown> = {}) =>
  ({
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, Buffer.from(String(header))])),
  }) as KafkaMessage

const value = (message: { value: Buffer | string | null }) => Buffer.from(message.value ?? '')

describe('packed observations', () => {
  test('come out as they went in, in order, on the partition of their key', () => {
    const observations = Array.from({ length: 300 }, (_, i) => observation(`s${i % 17}`, i))
    const messages = pack(observations, 12)
    expect(messages.length).toBeLessThanOrEqual(12)
    const seen: Observation[] = []
    for (const message of messages) {
      for (const one of unpack(value(message)) ?? []) {
        expect(partitionOf(one.key, 12)).toBe(message.partition)
        seen.push(one)
      }
    }
    expect(seen.toSorted((a, b) => a.at - b.at)).toEqual(observations)
    for (const key of new Set(observations.map((one) => one.key))) {
      const times = seen.filter((one) => one.key === key).map((one) => one.at)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }
  })

  test('are cut by bytes, and sent so that no partition gets more than a broker takes at once', () => {
    const observations = Array.from({ length: 3_000 }, (_, i) => observation('one', i, 'é'.repeat(500)))
    const messages = pack(observations, 12)
    expect(messages.length).toBeGreaterThan(4)
    for (const message of messages) expect(value(message).length).toBeLessThanOrEqual(512 * 1024)
    for (const batch of cutBySize(messages)) {
      expect(batch.reduce((sum, message) => sum + value(message).length, 0)).toBeLessThanOrEqual(MAX_SEND_BYTES)
    }
    expect([...cutBySize(messages)].flat()).toEqual(messages)
    expect(messages.flatMap((message) => unpack(value(message)) ?? [])).toEqual(observations)
  })

  test('say since when their records are in Kafka; those that do not are as old as they are themselves', () => {
    const [late, present] = ['late', 'present'].map((topic) => ({ topic, partition: 0, offset: '1' }))
    const both = [late, present].map((source) => ({ ...observation('s1', 1), source: source as Observation['source'] }))
    const messages = pack(both, 1, null, ({ topic }) => (topic === 'late' ? 7_000 : 8_000))
    expect(messages.map(({ headers }) => sinceOf({ ...received(headers), timestamp: '9000' }))).toEqual([7_000, 8_000])
    expect(sinceOf({ headers: {}, timestamp: '9000' })).toBe(9_000)
    expect(sinceOf({ headers: { since: Buffer.from('?') }, timestamp: '9000' })).toBe(9_000)
  })

  test('carry the contexts of their rows in a header; the pack itself is the same with and without', () => {
    const observations = Array.from({ length: 100 }, (_, i) => observation(`s${i % 17}`, i))
    const contextOf = ({ at }: Observation) => (at % 3 === 0 ? contextOfNumber(at) : undefined)
    const messages = pack(observations, 12, contextOf)
    expect(messages.map(value)).toEqual(pack(observations, 12).map(value))
    const told: [number, Traceparent][] = []
    for (const message of messages) {
      const rows = unpack(value(message)) ?? []
      eachContextOfRows(received(message.headers), (row, context) => told.push([rows[row]?.at ?? -1, context]))
    }
    expect(told.toSorted(([a], [b]) => a - b)).toEqual(
      observations.filter(({ at }) => at % 3 === 0).map(({ at }) => [at, contextOfNumber(at)]),
    )
    const [without] = pack(observations.slice(1, 3), 1, contextOf)
    expect(without?.headers).toBeUndefined()
  })

  test('with a context for each of as many rows as there can be still go into one send', () => {
    const small = Array.from({ length: 5_000 }, (_, i) => ({ ...observation('', i), status: 'x', event_id: '' }))
    const messages = pack(small, 1, ({ at }) => contextOfNumber(at))
    expect(messages.length).toBeGreaterThan(1)
    for (const message of messages) {
      const header = message.headers?.traceparents as Buffer
      expect(value(message).length + header.length).toBeLessThan(MAX_SEND_BYTES)
    }
  })

  test.each([
    '',
    '{',
    '{}',
    'null',
    '[1]',
    '[[0]]',
    '[["0","x"]]',
    `[[0.5,"00-${'a'.repeat(32)}-${'b'.repeat(16)}-01"]]`,
  ])('have no contexts where their header is %j', (header) => {
    eachContextOfRows(received({ traceparents: header }), () => {
      throw new Error('it told one')
    })
  })

  test('that are not ours are told apart', () => {
    for (const text of ['', '{', '{}', 'null', '[]', '[1]', '["a"]', '["a","b"]', '[{"key":"a"}]', '["a",1,[]]']) {
      expect(unpack(Buffer.from(text))).toBeNull()
    }
    expect(unpack(null)).toBeNull()
  })

  test('are refused when any value of any of them is not of its type', () => {
    const row = ['7', 1_700_000_000_000, 'session', 'on-going', 'e1', null, null, null, null, null, null]
    const packed = (...rows: unknown[]) => Buffer.from(JSON.stringify(['events', 3, ...rows]))
    expect(unpack(packed(row))).toHaveLength(1)
    const wrong = [7, 'now', 'other', null, null, 1, 2, 3, 4, true, 5]
    for (const [index, value] of wrong.entries())
      expect(unpack(packed(row, (row as unknown[]).with(index, value)))).toBeNull()
    expect(unpack(packed(row.with(1, 1e16)))).toBeNull()
    expect(unpack(packed(row.slice(1)))).toBeNull()
  })

  test('of several sources come in packs of their own, and an event without a session is its own key', () => {
    const one = observation('s1', 1)
    const elsewhere = { ...one, source: { ...one.source, partition: 5 } }
    const alone = { ...one, key: one.event_id, session_id: null }
    const messages = pack([one, elsewhere, one, alone], 1)
    expect(messages.flatMap((message) => unpack(value(message)) ?? [])).toEqual([one, elsewhere, one, alone])
  })
})
