import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeJson } from '../../../src/decode/json.ts'
import { parseText } from '../../model/json.ts'

const decoded = (text: string) => {
  const outcome = decodeJson(Buffer.from(text))
  if ('reject' in outcome) throw new Error(outcome.message)
  return outcome.value
}

describe('keys that are written with escapes', () => {
  test('are never taken for those of an earlier text', () => {
    // As JSON.parse of V8 13.6 does.
    decoded('{"{":1,"\\\\":2}')
    expect(decoded('{"{":1,"\\"":2}')).toEqual({ '{': 1, '"': 2 })
    decoded('{"event_id":"a","\\\\u0":"x"}')
    expect(decoded('{"event_id":"b","\\u0063vv":"123"}')).toEqual({ event_id: 'b', cvv: '123' })
  })

  test('are what they are in any order of texts', () => {
    const atoms = ['a', 'u', '0', '{', ':', '"', '\\', '\n', '/', 'é', '\u0061', '\ue000', '🅿']
    const written = (key: string, escaped: boolean) =>
      escaped
        ? `"${[...key].map((c) => (c.length > 1 ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('')}"`
        : JSON.stringify(key)
    const key = fc.array(fc.constantFrom(...atoms), { maxLength: 4 }).map((parts) => parts.join(''))
    const member = fc.tuple(
      key,
      fc.boolean(),
      fc.constantFrom('1', '"\\\\"', '{"\\\\":[{"\\u0061":2}]}', '9007199254740993'),
    )
    const text = fc
      .array(member, { maxLength: 4 })
      .map(
        (members) => `{${members.map(([name, escaped, value]) => `${written(name, escaped)} : ${value}`).join(',')}}`,
      )
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 6 }), (texts) => {
        for (const one of texts) {
          const value = decoded(one)
          expect(value).toEqual(parseText(one))
          expect(Object.keys(value as object)).toEqual(Object.keys(parseText(one) as object))
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('take no time where there are many', () => {
    const started = process.cpuUsage()
    decoded(`{${Array.from({ length: 100_000 }, (_, i) => `"\\u0061${i}":${i}`).join(',')}}`)
    decoded(`{"a":"${'\\\\'.repeat(500_000)}"}`)
    decoded(`["${'\\"'.repeat(500_000)}"]`)
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000)
  })
})
