import { describe, expect, test } from '@jest/globals'
import { scrub } from '../../../src/operate/scrub.ts'

describe('scrub', () => {
  test.each(['4111111111111111', '4111-1111-1111-1111', '4111 1111 1111 1111', '378282246310005', '6011111111111117'])(
    'takes the card number %s out of a text',
    (card) => {
      expect(scrub(`dup key: { card: "${card}" }`)).toBe('dup key: { card: "[card number]" }')
    },
  )

  test('leaves other digits alone', () => {
    for (const text of ['4111111111111112', 'offset 1234567890123', '2026-11-24T11:00:00.000Z', '41111111']) {
      expect(scrub(text)).toBe(text)
    }
  })

  test('keeps a JSON text a JSON text', () => {
    const line = JSON.stringify({ a: 4111111111111111, b: [4111111111111111, 1], c: 'x 4111111111111111', d: 7 })
    expect(JSON.parse(scrub(line))).toEqual({ a: 0, b: [0, 1], c: 'x [card number]', d: 7 })
  })

  test('takes what was asked for out of what MongoDB says of a command that is not allowed', () => {
    const said = 'not authorized on dataset to execute command { find: "pm_parking_events", filter: { _id: "e\\"1" } }'
    const told = 'not authorized on dataset to execute command { find: "pm_parking_events", … }'
    expect(scrub(`waiting: ${said}`)).toBe(`waiting: ${told}`)
    const line = JSON.stringify({ a: said, b: 'after' })
    expect(JSON.parse(scrub(line))).toEqual({ a: told, b: 'after' })
    expect(scrub('not authorized on a to execute command { hello: 1, filter: 2 }')).not.toContain('filter')
  })

  test('takes credentials out of connection strings', () => {
    expect(scrub('cannot reach mongodb://user:p%40ss@host:27017/x')).toBe('cannot reach mongodb://***@host:27017/x')
    expect(scrub('http://host:8081/subjects')).toBe('http://host:8081/subjects')
  })
})
