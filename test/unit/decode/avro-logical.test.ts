import { describe, expect, test } from '@jest/globals'
import avsc, { type Schema } from 'avsc'
import fc from 'fast-check'
import { createAvroReader } from '../../../src/decode/avro.ts'
import { createJsonTextHook } from '../../../src/decode/avro-schema.ts'
import type { Rejected } from '../../../src/decode/rejected.ts'
import { decimalOf } from '../../support/decimal.ts'

/** What our reader makes of a value that avsc wrote by the base type. */
function read(schema: object, value: unknown): unknown {
  const { logicalType: _, ...base } = schema as { logicalType?: string }
  const bytes = avsc.Type.forSchema(base as Schema).toBuffer(value)
  return createAvroReader(avsc.Type.forSchema(schema as Schema, { typeHook: createJsonTextHook() as never }))(bytes)
}
const long = (logicalType: string, value: number) => read({ type: 'long', logicalType }, value)
const int = (logicalType: string, value: number) => read({ type: 'int', logicalType }, value)
const bytesOf = (unscaled: bigint, length: number) =>
  Buffer.from(
    BigInt.asUintN(8 * length, unscaled)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  )
const decimal = (unscaled: bigint, scale: number, length = 16) =>
  read({ type: 'bytes', logicalType: 'decimal', precision: 38, scale }, bytesOf(unscaled, length))

const reasonOf = (work: () => unknown) => {
  try {
    return work()
  } catch (error) {
    return (error as Rejected).reject.reject
  }
}

/** A whole number of 64 bits, or a decimal. */
function scaled(unscaled: bigint, scale: number): unknown {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}0`
  const isWhole = scale === 0 && BigInt.asIntN(64, unscaled) === unscaled
  return isWhole ? unscaled : decimalOf(text)
}

describe('a logical type is read as what it means', () => {
  test.each([
    ['an instant in milliseconds, which stays a number', long('timestamp-millis', 1685633775123), 1685633775123],
    ['an instant in microseconds', long('timestamp-micros', 1685633775123456), '2023-06-01T15:36:15.123456Z'],
    ['an instant before 1970', long('timestamp-micros', -1), '1969-12-31T23:59:59.999999Z'],
    ['an instant in nanoseconds', long('timestamp-nanos', 1685633775000000), '1970-01-20T12:13:53.775000000Z'],
    ['a local time', long('local-timestamp-millis', 1685633775123), '2023-06-01T15:36:15.123'],
    ['a local time in microseconds', long('local-timestamp-micros', 1685633775123456), '2023-06-01T15:36:15.123456'],
    ['a day', int('date', 19509), '2023-06-01'],
    ['a day before 1970', int('date', -1), '1969-12-31'],
    ['a time of day', int('time-millis', 56175123), '15:36:15.123'],
    ['a time of day in microseconds', long('time-micros', 56175123456), '15:36:15.123456'],
    ['what is no time of day', int('time-millis', 86_400_000), 86_400_000],
    ['what is no day', int('date', 2_000_000_000), 2_000_000_000],
    ['an unknown one', long('parsecs', 7), 7],
    ['an amount', decimal(1234n, 2), 12.34],
    ['a negative amount', decimal(-5n, 2), -0.05],
    ['a whole one', decimal(5000n, 0), 5000],
    ['one of many digits', decimal(12345678901234567890123n, 4), decimalOf('1234567890123456789.0123')],
    ['one of no bytes', decimal(0n, 2, 0), 0],
    ['one of more digits than any type keeps', reasonOf(() => decimal(7n ** 50n, 2, 20)), 'number_out_of_range'],
    ['one of too many bytes', reasonOf(() => decimal(1n, 2, 8_000)), 'number_out_of_range'],
  ])('%s', (_, value, expected) => expect(value).toEqual(expected))

  test('of a UUID as text and as bytes', () => {
    const text = '123e4567-e89b-12d3-a456-426614174000'
    expect(read({ type: 'string', logicalType: 'uuid' }, text)).toBe(text)
    const bytes = Buffer.from(text.replaceAll('-', ''), 'hex')
    expect(read({ type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' }, bytes)).toBe(text)
  })

  test('within records, unions and arrays', () => {
    const at = { type: 'long', logicalType: 'timestamp-micros' }
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: ['null', at] },
        { name: 'b', type: { type: 'array', items: at } },
      ],
    }
    const type = avsc.Type.forSchema(schema as Schema, { typeHook: createJsonTextHook() as never })
    const bytes = Buffer.from([2, 2, 2, 4, 0])
    expect(createAvroReader(type)(bytes)).toEqual({
      a: '1970-01-01T00:00:00.000001Z',
      b: ['1970-01-01T00:00:00.000002Z'],
    })
  })

  test('a decimal has the value of its digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n }), fc.nat(10), (unscaled, scale) => {
        const value = decimal(unscaled, scale)
        if (typeof value === 'number') expect(value).toBe(Number(`${unscaled}e-${scale}`))
        else expect(value).toEqual(scaled(unscaled, scale))
      }),
    )
  })
})
