import { Decimal } from '../contract/record.ts'

/** Any number that JSON can write, kept; what no BSON type keeps is null. */
export function exactNumber(source: string, double: number): number | bigint | Decimal | null {
  if (INTEGER.test(source)) {
    if (Number.isSafeInteger(double)) return double
    const integer = BigInt(source)
    if (integer >= INT64_MIN && integer <= INT64_MAX) return integer
  } else if (isTextOfDouble(source, double)) return double
  return fitsDecimal(source) ? new Decimal(source) : null
}

const INTEGER = /^-?[0-9]+$/
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** As many as `toPrecision` gives. */
const MOST_DIGITS = 100

/** Whether the text is that of the double, to as many digits as it has: then the double is the number that was meant. */
function isTextOfDouble(source: string, double: number): boolean {
  const { digits, exponent } = partsOf(source)
  if (digits === '') return true
  if (digits.length > MOST_DIGITS) return false
  const same = partsOf(double.toPrecision(digits.length))
  return same.digits === digits && same.exponent === exponent
}

/** IEEE 754 decimal128: 34 digits, and the exponents of the last and of the first of them. */
const DIGITS_OF_DECIMAL = 34
const LEAST_EXPONENT = -6176
const MOST_EXPONENT = 6144

function fitsDecimal(source: string): boolean {
  const { digits, exponent } = partsOf(source)
  if (digits.length > DIGITS_OF_DECIMAL) return false
  return exponent >= LEAST_EXPONENT && exponent + digits.length - 1 <= MOST_EXPONENT
}

/** Significant digits, without zeros at either end, and the exponent of the last of them. */
function partsOf(source: string): { digits: string; exponent: number } {
  const [, whole = '', fraction = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? []
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  return { digits, exponent: Number(power) - fraction.length + (all.length - digits.length) }
}
