import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Decimal128 } from 'mongodb'
import { Decimal } from '../../../src/contract/record.ts'
import { decodeJson } from '../../../src/decode/json.ts'
import type { Faulty } from '../../model/faulty.ts'
import { Decimal as ModelDecimal } from '../../model/input.ts'
import { parseText } from '../../model/json.ts'
import { canonical, decimalOf } from '../../support/decimal.ts'

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

/** Written with .2, and rounded to as many digits .3. */
const HALFWAY = 1575073419927632 + 0.25

describe('a number keeps its value', () => {
  test.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['1000000000000000', 1000000000000000],
    ['0.12345678901234568', 0.12345678901234568],
    ['52.379189000000004', 52.379189000000004],
    ['52.379189000000001', decimalOf('52.379189000000001')],
    ['-1575073419927632.2', -HALFWAY],
    ['-1575073419927632.3', -HALFWAY],
    ['1575073419927632.2e0', HALFWAY],
    ['1575073419927632.1', decimalOf('1575073419927632.1')],
    ['0.1000000000000000055511151231257827021181583404541015625', 0.1],
    ['4.9e-324', 5e-324],
    ['4.94066e-324', 5e-324],
    ['1.2345e-320', decimalOf('1.2345e-320')],
    ['0.1234567890123456789', decimalOf('0.1234567890123456789')],
    ['123456789012.1234567', decimalOf('123456789012.1234567')],
    ['12345678901234567890.5', decimalOf('12345678901234567890.5')],
    ['12345678901234567890e0', decimalOf('12345678901234567890e0')],
    ['9223372036854775808', decimalOf('9223372036854775808')],
    ['-9223372036854775809', decimalOf('-9223372036854775809')],
    ['1000000000000000000000000000000', decimalOf('1000000000000000000000000000000')],
    ['1.500000000000000000000000000000000000000', 1.5],
    ['1e20', 1e20],
    ['1E-300', 1e-300],
    ['1e400', decimalOf('1e400')],
    ['-1e-400', decimalOf('-1e-400')],
    ['0e-999999', 0],
    ['0.0e999', 0],
    ['-0', -0],
    ['-0.0', -0],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual(expected)
    expect(read(`{"a":[1, ${text}]}`)).toEqual({ a: [1, expected] })
    expect(read(`{"a":\n\t${text}}`)).toEqual({ a: expected })
  })
})

describe('as JSON.parse has it', () => {
  test('the last of equal keys wins, on the exact path too', () => {
    expect(read('{"a":1,"a":2}')).toEqual({ a: 2 })
    expect(read('{"a":[],"a":{},"n":9007199254740993}')).toEqual({ a: {}, n: 9007199254740993n })
    expect(read(String.raw`{"a":0.5e-6176,"a":{"\\":0}}`)).toEqual({ a: { '\\': 0 } })
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

test('a whole surrogate pair, or an escaped backslash before something like one, is no fault', () => {
  expect(read(String.raw`["\ud83d\ude97", "\\ud800"]`)).toEqual(['🚗', String.raw`\ud800`])
})

/** A parser that shares nothing with ours says the same of any text. */
test('what it reads, and what it refuses, is what the grammar says', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 40 })
  const number = fc
    .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.option(fc.integer({ min: -7000, max: 7000 })))
    .map(([sign, whole, fraction, power]) =>
      [
        sign,
        whole.replace(/^0+(?=.)/, ''),
        fraction === null ? '' : `.${fraction}`,
        power === null ? '' : `e${power}`,
      ].join(''),
    )
  const piece = fc.oneof(
    number,
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', ' ', '"', String.raw`"\ud800"`, '"\t"', '01', '1.', '.5', '-', '+1', 'NaN'],
    ),
  )
  const text = fc.oneof(
    piece,
    fc.array(piece).map((pieces) => pieces.join('')),
    fc.array(piece).map((pieces) => `[${pieces.join(',')}]`),
    fc
      .array(fc.tuple(fc.string(), piece))
      .map((fields) => `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  )
  const ours = (json: string) => {
    const outcome = decode(json)
    return 'reject' in outcome ? outcome.reject : comparable(outcome.value)
  }
  const theirs = (json: string) => {
    try {
      return comparable(parseText(json))
    } catch (error) {
      return (error as Faulty).reason
    }
  }
  fc.assert(
    fc.property(text, (json) => {
      fc.pre(json !== '')
      expect(ours(json)).toEqual(theirs(json))
    }),
    { numRuns: 3_000 },
  )
})

/** Decimals by their value, of both. */
function comparable(value: unknown): unknown {
  if (value instanceof Decimal || value instanceof ModelDecimal)
    return { decimal: canonical(Decimal128.fromString(value.text).toString()) }
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).map(([key, inner]) => [key, comparable(inner)])
}

test('a byte order mark is tolerated', () => {
  expect(read(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"a":1}')]))).toEqual({ a: 1 })
})

test('digits in strings are left alone', () => {
  expect(read('{"id":"12345678901234567890","t":": 12345678901234567890"}')).toEqual({
    id: '12345678901234567890',
    t: ': 12345678901234567890',
  })
})

test('a number of any length is read in little time', () => {
  const zeros = '0'.repeat(500_000)
  for (const number of [
    `1${zeros}1`,
    `0.1${zeros}1`,
    `1${zeros}`,
    `0.5${zeros}`,
    `1e${zeros}1`,
    `${zeros.replaceAll('0', '7')}`,
  ]) {
    const began = performance.now()
    decode(`{"a":${number}}`)
    expect(performance.now() - began).toBeLessThan(1_000)
  }
  expect(read(`0.33333333333333333333${zeros}`)).toEqual(decimalOf('0.33333333333333333333'))
  expect(read(`0.5${zeros}`)).toBe(0.5)
})

describe('rejected is', () => {
  test.each<[string, string | Buffer, string]>([
    ['no bytes', '', 'empty_value'],
    ['blanks', '  ', 'invalid_json'],
    ['half an object', '{"a":', 'invalid_json'],
    ['two objects', '{} {}', 'invalid_json'],
    ['what is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'invalid_utf8'],
    ['an integer of 35 digits', `{"a":${'9'.repeat(35)}}`, 'number_out_of_range'],
    ['a fraction of 35 digits', `{"a":0.${'9'.repeat(35)}}`, 'number_out_of_range'],
    ['what is too large for a decimal', '{"a":1e6145}', 'number_out_of_range'],
    ['what is too small for a decimal', '{"a":1e-6177}', 'number_out_of_range'],
    ['an exponent beyond any', '{"a":1e99999999999999999999}', 'number_out_of_range'],
    ['an integer far beyond', `[${'9'.repeat(400)}]`, 'number_out_of_range'],
    ['half a surrogate pair', String.raw`{"a":["\ud800"]}`, 'ill_formed_text'],
    ['half a surrogate pair in a key', String.raw`{"a":{"x\uDC00":1}}`, 'ill_formed_text'],
    ['a pair the wrong way round', String.raw`["\udc00\ud800"]`, 'ill_formed_text'],
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
