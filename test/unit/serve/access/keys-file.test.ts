import { describe, expect, test } from '@jest/globals'
import { parseKeys } from '../../../../src/serve/access/keys-file.ts'
import { makeKey } from '../../../../src/serve/access/make-key.ts'

const DIGEST = 'ab'.repeat(32)
const RIGHT = { id: 'mobile-backend', sha256: DIGEST, scopes: ['events:read'] }

const parse = (...keys: unknown[]) => parseKeys(JSON.stringify({ keys }))

/** What is wrong with a list of entries. */
function problemsOf(...keys: unknown[]): string[] {
  const read = parse(...keys)
  return 'problems' in read ? read.problems.map(({ problem }) => problem) : []
}

describe('a keys file', () => {
  test('gives callers by the digest of their key, whatever the case of its digits', () => {
    const other = { ...RIGHT, id: 'other', sha256: 'CD'.repeat(32), zones: ['10001'], expires: '2027-01-01T00:00:00Z' }
    expect(parse(RIGHT, other)).toEqual({
      keys: new Map([
        [DIGEST, { id: 'mobile-backend', scopes: new Set(['events:read']), zones: null, expiresAt: null }],
        [
          'cd'.repeat(32),
          { id: 'other', scopes: new Set(['events:read']), zones: new Set(['10001']), expiresAt: Date.UTC(2027, 0, 1) },
        ],
      ]),
    })
  })

  test('may have no key: nobody is let in then', () => {
    expect(parse()).toEqual({ keys: new Map() })
  })

  test('tells every problem at once, by the number and name of the entry', () => {
    const problems = problemsOf(
      RIGHT,
      { ...RIGHT, id: 'b', sha256: 'short', scopes: ['events:read', 'events:write'] },
      { id: 'no good', sha256: 'ef'.repeat(32) },
      'text',
      null,
    )
    expect(problems).toEqual([
      'keys[1] "b" has a wrong "sha256": it must be the 64 hex digits of the SHA-256 of the key, never the key itself',
      'keys[1] "b" has a wrong "scopes": it must be a list of events:read, status:read, cards:read, metrics:read',
      'keys[2] has a wrong "id": it must be a name of 1 to 64 letters, digits, dots, hyphens or underscores',
      'keys[2] lacks "scopes": it must be a list of events:read, status:read, cards:read, metrics:read',
      'keys[3] is no object',
      'keys[4] is no object',
    ])
  })

  test.each<[string, object]>([
    ['an id that everybody without credentials has', { id: 'anonymous' }],
    ['an id that a JWT could have', { id: 'jwt:dashboard' }],
    ['no scopes', { scopes: [] }],
    ['scopes in one text', { scopes: 'events:read' }],
    ['no zones, which may be meant to be all', { zones: [] }],
    ['zones that are numbers', { zones: [10001] }],
    ['zones that are null', { zones: null }],
    ['a slip in zones', { zone: ['10001'] }],
    ['a time without a zone', { expires: '2027-01-01T00:00:00' }],
    ['a time that is a number', { expires: 1798761600 }],
    ['a month that is none', { expires: '2027-13-01T00:00:00Z' }],
  ])('is not taken with %s', (_, fields) => {
    expect(problemsOf({ ...RIGHT, ...fields })).toHaveLength(1)
  })

  test('has each id and each key once', () => {
    expect(
      problemsOf(RIGHT, { ...RIGHT, sha256: 'cd'.repeat(32) }, { ...RIGHT, id: 'c', sha256: DIGEST.toUpperCase() }),
    ).toEqual([
      'keys[1] "mobile-backend" has the id of an entry before it',
      'keys[2] "c" has the key of an entry before it',
    ])
  })

  test.each(['', '[]', 'null', '{"keys":{}}', '{"keys":[', '{}'])('is not %j', (text) => {
    expect(parseKeys(text)).toEqual({ problems: [{ problem: expect.any(String), example: expect.any(String) }] })
  })

  test('never has a key or a digest told, wherever somebody put it', () => {
    const { key, entry } = makeKey('a', ['events:read'], null, null)
    const texts = [
      `{"keys":[{"id":${key}`,
      JSON.stringify({ keys: [{ ...RIGHT, sha256: key }] }),
      JSON.stringify({ keys: [{ ...RIGHT, id: key }] }),
      JSON.stringify({ keys: [{ ...RIGHT, [key]: 1 }] }),
      JSON.stringify({ keys: [{ ...RIGHT, scopes: [key], zones: key, expires: key }] }),
      JSON.stringify({ keys: [{ ...entry, zone: 1 }, key] }),
    ]
    for (const text of texts) {
      const read = parseKeys(text)
      expect(read).toHaveProperty('problems')
      expect(JSON.stringify(read)).not.toContain(key.slice(0, 12))
      expect(JSON.stringify(read)).not.toContain(entry.sha256.slice(0, 12))
    }
  })
})

describe('a new key', () => {
  test('is of 32 random bytes, and its entry is right', () => {
    const { key, entry } = makeKey('mobile-backend', ['events:read', 'cards:read'], ['10001'], '2027-01-01T00:00:00Z')
    expect(key).toMatch(/^pmk_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(key.slice(4), 'base64url')).toHaveLength(32)
    expect(problemsOf(entry)).toEqual([])
    expect(entry).toEqual({
      id: 'mobile-backend',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      scopes: ['events:read', 'cards:read'],
      zones: ['10001'],
      expires: '2027-01-01T00:00:00Z',
    })
  })

  test('is another each time, and its entry has no field that is not needed', () => {
    const [a, b] = [makeKey('a', ['events:read'], null, null), makeKey('a', ['events:read'], null, null)]
    expect(a.key).not.toBe(b.key)
    expect(Object.keys(a.entry)).toEqual(['id', 'sha256', 'scopes'])
  })
})
