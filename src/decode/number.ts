import { Decimal } from '../contract/record.ts'

/** Any number that JSON can write, kept; what no BSON type keeps is null. In time that is linear in its length. */
export function exactNumber(source: string, double: number): number | bigint | Decimal | null {
  const parts = partsOf(source)
  if (parts === null) return null
  const { sign, digits, exponent } = parts
  if (INTEGER.test(source)) {
    if (Number.isSafeInteger(double)) return double
    if (digits.length + exponent <= DIGITS_OF_INT64) {
      const integer = BigInt(`${sign}${digits}${'0'.repeat(exponent)}`)
      if (BigInt.asIntN(64, integer) === integer) return integer
    }
  } else if (isTextOfDouble(parts, double)) return double
  const fits = exponent >= LEAST_EXPONENT && exponent + digits.length - 1 <= MOST_EXPONENT
  return digits.length <= DIGITS_OF_DECIMAL && fits ? new Decimal(sign, digits, exponent) : null
}

const INTEGER = /^-?[0-9]+$/
const DIGITS_OF_INT64 = 19
/** IEEE 754 decimal128: 34 digits, and the exponents of the last and of the first of them. */
const DIGITS_OF_DECIMAL = 34
const LEAST_EXPONENT = -6176
const MOST_EXPONENT = 6144
/** As many as `toPrecision` gives. */
const MOST_DIGITS = 100

interface Parts {
  sign: '' | '-'
  /** Those that count: without zeros at either end; none for zero. */
  digits: string
  /** Of the last of them. */
  exponent: number
}

/**
 * Whether the text is that of the double, rounded to as many digits or as short as it can be: then the double is the
 * number that was meant. The two differ where the double is halfway between: 1575073419927632.25 is written with .2, and
 * rounded to .3.
 */
function isTextOfDouble({ digits, exponent }: Parts, double: number): boolean {
  if (digits === '') return true
  if (!Number.isFinite(double)) return false
  const isSame = (text: string) => {
    const same = partsOf(text)
    return same?.digits === digits && same.exponent === exponent
  }
  return isSame(double.toPrecision(digits.length)) || isSame(String(double))
}

/** Null: more digits count than anything keeps. */
function partsOf(source: string): Parts | null {
  const sign = source.startsWith('-') ? '-' : ''
  const mark = source.search(/[eE]/)
  const end = mark < 0 ? source.length : mark
  const dot = source.indexOf('.')
  const whole = dot < 0 ? end : dot
  let first = sign.length
  while (first < end && (source[first] === '0' || source[first] === '.')) first++
  if (first === end) return { sign, digits: '', exponent: 0 }
  let last = end - 1
  while (source[last] === '0' || source[last] === '.') last--
  if (last - first > MOST_DIGITS) return null
  const power = mark < 0 ? 0 : Number(source.slice(mark + 1))
  const exponent = power + (last < whole ? whole - 1 - last : whole - last)
  return { sign, digits: source.slice(first, last + 1).replace('.', ''), exponent }
}
