import { describe, expect, test } from '@jest/globals'
import { BSON } from 'mongodb'
import type { CacheContent } from '../../../src/contract/document.ts'
import { encodeEach } from '../../../src/documents/bson.ts'
import { createSealer, unseal } from '../../../src/documents/encryption.ts'
import { decimalOf } from '../../support/decimal.ts'

const keyOf = (id: string) => ({ id, key: Buffer.alloc(32, id) })
const [old, now] = [keyOf('2025'), keyOf('2026')]
const PATHS = ['response.session_data.plate', 'response.stops.at', 'payload', 'user_id']
const seal = createSealer(PATHS, [now, old])

const CONTENT: CacheContent = {
  card: 'tok_1',
  http_status: 200,
  response: {
    zone_id: '953',
    session_data: { plate: 'ABC-123', other: 'ABC-123' },
    stops: [{ at: { lat: 52.37, lon: 4.89 } }, { at: null }, { elsewhere: 1 }, 'no object'],
  },
  payload: [9007199254740993n, decimalOf('0.12345678901234567890'), { a: true }],
  user_id: 7,
}

/** As MongoDB gives it back. */
const stored = (content: CacheContent) => BSON.deserialize(encodeEach([content], () => {})[0] as Buffer) as CacheContent

describe('fields that are to be encrypted', () => {
  const sealed = seal('e1', CONTENT)

  test('are text that shows nothing, and all else stays as it is', () => {
    const text = JSON.stringify(stored(sealed))
    expect(text.match(/"enc:2026:[\w-]+"/g)).toHaveLength(4)
    expect(text.replace(/"other":"ABC-123"/, '')).not.toContain('ABC-123')
    expect(text).not.toContain('52.37')
    expect(sealed).toMatchObject({
      card: 'tok_1',
      http_status: 200,
      response: { zone_id: '953', session_data: { other: 'ABC-123' } },
    })
    expect((sealed.response as { stops: unknown[] }).stops.slice(1)).toEqual([
      { at: null },
      { elsewhere: 1 },
      'no object',
    ])
  })

  test('leave the record itself as it is', () => {
    expect(CONTENT.user_id).toBe(7)
    expect((CONTENT.response as { session_data: object }).session_data).toEqual({ plate: 'ABC-123', other: 'ABC-123' })
  })

  test('are given back by who has the key, exactly', () => {
    expect(unseal('e1', stored(sealed), [now])).toEqual(stored(CONTENT))
  })

  test('are given back from the last success of an error too', () => {
    const cache = { order: 'a', lastSuccess: { ...stored(sealed), order: 'b' } }
    expect(unseal('e1', { http_status: 500, cache } as CacheContent, [now])).toEqual({
      http_status: 500,
      cache: { order: 'a', lastSuccess: { ...stored(CONTENT), order: 'b' } },
    })
  })

  test('are given back after a change of keys too', () => {
    const before = createSealer(PATHS, [old])('e1', CONTENT)
    expect(JSON.stringify(stored(before))).toContain('enc:2025:')
    expect(unseal('e1', stored(before), [now, old])).toEqual(stored(CONTENT))
    expect(unseal('e1', stored(before), [now])).toEqual(stored(before))
  })

  test('are the same text for the same record, and another for another document or place', () => {
    expect(seal('e1', CONTENT)).toEqual(sealed)
    expect(seal('e2', CONTENT).user_id).not.toBe(sealed.user_id)
    expect(unseal('e2', stored(sealed), [now])).toEqual(stored(sealed))
    const moved = { ...stored(sealed), user_id: stored(sealed).payload as never }
    expect(unseal('e1', moved, [now]).user_id).toBe(moved.user_id)
  })

  test('that are not there, or where nothing is to be encrypted, cost nothing', () => {
    const plain: CacheContent = { card: null, response: { session_data: 'text', stops: 5 } }
    expect(seal('e1', plain)).toBe(plain)
    expect(createSealer([], [now])('e1', CONTENT)).toBe(CONTENT)
  })

  test('within a text that holds JSON are sealed with the whole of it', () => {
    const content: CacheContent = { response: { session_data: '{"plate":"ABC-123"}' } }
    const [one, two] = [seal('e1', content), seal('e1', { response: { session_data: 'ABC' } })]
    expect(JSON.stringify(one)).not.toContain('ABC')
    expect(unseal('e1', stored(one), [now])).toEqual(content)
    expect(two).toEqual({ response: { session_data: 'ABC' } })
  })

  test('text that only looks so stays as it is', () => {
    for (const text of ['enc:', 'enc:2026:', `enc:2026:${'A'.repeat(60)}`, `enc:unknown:${'A'.repeat(60)}`])
      expect(unseal('e1', { response: { text } }, [now])).toEqual({ response: { text } })
  })
})
