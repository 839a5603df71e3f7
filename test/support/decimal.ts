import { Decimal } from '../../src/contract/record.ts'

/** A decimal from its text, the plain way. */
export function decimalOf(text: string): Decimal {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(text) ?? []
  const all = whole + fraction
  const digits = all.replace(/0+$/, '')
  return new Decimal(
    sign as '',
    digits.replace(/^0+/, ''),
    Number(power) - fraction.length + all.length - digits.length,
  )
}

/** The same text for every way to write a decimal. */
export const canonical = (text: string) => decimalOf(text).text
