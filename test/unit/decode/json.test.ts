import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeJson } from '../../../src/decode/json.ts'

const decode = (text: string | Buffer) => decodeJson(Buffer.from(text as string))
const read = (text: string | Buffer) => {
  const outcome = decode(text)
  if ('reject' in outcome) throw new Error(outcome.reject)
  return outcome.value
}
const reasonOf = (text: string | Buffer) => {
  const outcome = decode(text)
  return 'reject' in outcome ? outcome.reject : null
}

describe('a number keeps its value', () => {
  test.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['1000000000000000', 1000000000000000],
    ['0.1234567890123456789', 0.12345678901234568],
    ['12345678901234567890.5', 12345678901234567000],
    ['1e20', 1e20],
    ['-0', -0],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected)
    expect(read(`{"a":[1, ${text}]}`)).toEqual({ a: [1, expected] })
    expect(read(`{"a":\n\t${text}}`)).toEqual({ a: expected })
  })
})

describe('as JSON.parse has it', () => {
  test('the last of equal keys wins, on the exact path too', () => {
    expect(read('{"a":1,"a":2}')).toEqual({ a: 2 })
    expect(read('{"a":[],"a":{},"n":9007199254740993}')).toEqual({ a: {}, n: 9007199254740993n })
  })

  test('__proto__ is a plain key, on the exact path too', () => {
    for (const n of ['1', '9007199254740993']) {
      const value = read(`{"__proto__":{"n":${n}}}`) as object
      expect(Object.keys(value)).toEqual(['__proto__'])
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    }
  })

  test('all JSON gives what it gives, when its numbers are exact', () => {
    const exact = fc.jsonValue({ noUnicodeString: false }).filter((value) => !/\d{16}/.test(JSON.stringify(value)))
    fc.assert(
      fc.property(exact, (value) => expect(read(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))),
    )
  })
})

test('every 64-bit integer survives, wherever it stands', () => {
  const place = fc.constantFrom(
    (n: string) => n,
    (n: string) => `[${n}]`,
    (n: string) => `[0,${n} ,0]`,
    (n: string) => `{"key":${n}}`,
    (n: string) => `{ "a" : "1234567890123456", "b" :  ${n} }`,
  )
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), place, (n, write) => {
      const safe = BigInt.asIntN(54, n) === n && Number.isSafeInteger(Number(n))
      const flat = [read(write(String(n)))].flatMap((value) =>
        typeof value === 'object' ? Object.values(value ?? {}) : [value],
      )
      expect(flat).toContain(safe ? Number(n) : n)
    }),
  )
})

test('a byte order mark is tolerated', () => {
  expect(read(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"a":1}')]))).toEqual({ a: 1 })
})

test('digits in strings are left alone', () => {
  expect(read('{"id":"12345678901234567890","t":": 12345678901234567890"}')).toEqual({
    id: '12345678901234567890',
    t: ': 12345678901234567890',
  })
})

describe('rejected is', () => {
  test.each<[string, string | Buffer, string]>([
    ['no bytes', '', 'empty_value'],
    ['blanks', '  ', 'invalid_json'],
    ['half an object', '{"a":', 'invalid_json'],
    ['two objects', '{} {}', 'invalid_json'],
    ['what is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'invalid_utf8'],
    ['an integer beyond 64 bits', '{"a":9223372036854775808}', 'number_out_of_range'],
    ['an integer below 64 bits', '{"a":-9223372036854775809}', 'number_out_of_range'],
    ['an integer far beyond', `[${'9'.repeat(400)}]`, 'number_out_of_range'],
    [
      'a long integer nested too deep to be read exactly',
      `${'['.repeat(200_000)}12345678901234567890${']'.repeat(200_000)}`,
      'too_deep',
    ],
  ])('%s', (_, text, reason) => expect(reasonOf(text)).toBe(reason))

  test('without a word of its text in the message', () => {
    expect(JSON.stringify(decode('4111111111111111x'))).not.toContain('4111')
    expect(JSON.stringify(decode('{"card": "4111111111111111", 4111111111111111'))).not.toContain('4111')
  })
})

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(() => decodeJson(Buffer.from(bytes))).not.toThrow()))
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789.eE- \\') }), (text) =>
      expect(() => decode(text)).not.toThrow(),
    ),
  )
})
