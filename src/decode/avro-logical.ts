import avsc, { type Type } from 'avsc'
import type { Json } from '../contract/record.ts'
import { safely } from './avro-cursor.ts'
import { exactNumber } from './number.ts'
import { Rejected } from './rejected.ts'

/**
 * Avro's logical types as what they mean, without loss: instants, dates and times as ISO 8601, decimals as numbers, UUIDs as text. Instants in
 * milliseconds stay what they are, epoch milliseconds, as other records have them; a duration stays bytes.
 *
 * Source: Avro 1.12 specification, "Logical Types".
 */
export class MeantType extends avsc.types.LogicalType {
  /** What the value of the base type means. */
  readonly meaning: Meaning
  constructor(schema: { logicalType?: string }, opts: object, meaning: Meaning) {
    super(schema as never, opts as never)
    this.meaning = meaning
  }
  protected override _fromValue(value: unknown): unknown {
    return value
  }
  protected override _toValue(value: unknown): unknown {
    return value
  }
}

export type Meaning = (value: Json) => Json

type Attributes = { [name: string]: unknown }

/** What the attributes of a type give its values; undefined: what the base type is. */
export function meaningOf(attributes: Attributes): Meaning | undefined {
  const { type, logicalType, scale = 0 } = attributes
  const known = MEANINGS[`${type} ${logicalType}`]
  if (known !== undefined) return known
  if (logicalType !== 'decimal' || (type !== 'bytes' && type !== 'fixed')) return undefined
  return Number.isInteger(scale) && (scale as number) >= 0 ? (value) => decimal(value, scale as number) : undefined
}

const DAY_MS = 86_400_000n

const MEANINGS: { readonly [types: string]: Meaning | undefined } = {
  'int date': (days) => iso(BigInt(days as number) * DAY_MS, 3, (text) => text.slice(0, -14), days),
  'int time-millis': (value) => timeOfDay(value, 3),
  'long time-micros': (value) => timeOfDay(value, 6),
  'long timestamp-micros': (value) => iso(BigInt(value as number | bigint), 6),
  'long timestamp-nanos': (value) => iso(BigInt(value as number | bigint), 9),
  'long local-timestamp-millis': (value) => iso(BigInt(value as number | bigint), 3, withoutZone),
  'long local-timestamp-micros': (value) => iso(BigInt(value as number | bigint), 6, withoutZone),
  'long local-timestamp-nanos': (value) => iso(BigInt(value as number | bigint), 9, withoutZone),
  'fixed uuid': (value) => uuid(value as string),
}

const withoutZone = (text: string) => text.slice(0, -1)

/** What a date of JavaScript can be, in milliseconds; a count beyond that stays a count. */
const LAST = 8_640_000_000_000_000n

/**
 * @param digits of the fraction of a second that `count` counts.
 * @param given what it is where no date can be that.
 */
function iso(count: bigint, digits: 3 | 6 | 9, cut = (text: string) => text, given: Json = safely(count)): Json {
  const perMillisecond = 10n ** BigInt(digits - 3)
  const milliseconds = floorOf(count, perMillisecond)
  if (milliseconds > LAST || milliseconds < -LAST) return given
  const rest = digits === 3 ? '' : String(count - milliseconds * perMillisecond).padStart(digits - 3, '0')
  const text = new Date(Number(milliseconds)).toISOString()
  return cut(`${text.slice(0, -1)}${rest}Z`)
}

const floorOf = (count: bigint, by: bigint) => (count - (((count % by) + by) % by)) / by

function timeOfDay(value: Json, digits: 3 | 6): Json {
  const count = BigInt(value as number | bigint)
  if (count < 0n || count >= DAY_MS * 10n ** BigInt(digits - 3)) return value
  return iso(count, digits, (text) => text.slice(text.indexOf('T') + 1, -1))
}

/** A number of any length in two's complement, big-endian, and where its point stands. */
function decimal(base64: Json, scale: number): Json {
  const bytes = Buffer.from(base64 as string, 'base64')
  if (bytes.length > MOST_BYTES || scale > MOST_SCALE) throw outOfRange()
  const unscaled = bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`
  const number = exactNumber(text, Number(text))
  if (number === null) throw outOfRange()
  return number
}

/** More bytes and places than 34 digits need. */
const MOST_BYTES = 32
const MOST_SCALE = 6_200

const outOfRange = () =>
  new Rejected('number_out_of_range', 'A decimal has more digits than MongoDB keeps. Send it as text.')

function uuid(base64: string): Json {
  const hex = Buffer.from(base64, 'base64').toString('hex')
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : base64
}

export const isMeant = (type: Type): type is Type & MeantType => type instanceof MeantType
