import { describe, expect, test } from '@jest/globals'
import type { Observation } from '../../../src/contract/observation.ts'
import { pack, unpack } from '../../../src/stream/packs.ts'
import { partitionOf } from '../../../src/stream/partitions.ts'
import { cutBySize, MAX_SEND_BYTES } from '../../../src/stream/send.ts'

const observation = (key: string, at: number, filler = ''): Observation => ({
  ...{ key, kind: 'session', status: 'on-going', at, event_id: `e${at}`, session_id: key, card: filler || null },
  ...{ zone_id: null, event_type: null, http_status: 200, ends_at: null },
  source: { topic: 'events', partition: 0, offset: String(at) },
})

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

  test('that are not ours are told apart', () => {
    for (const text of [
      '',
      '{',
      '{}',
      'null',
      '[1]',
      '[{"key":"a"}]',
      '[{"key":"a","kind":"b","status":"c","at":"x"}]',
    ]) {
      expect(unpack(Buffer.from(text))).toBeNull()
    }
    expect(unpack(null)).toBeNull()
  })
})
