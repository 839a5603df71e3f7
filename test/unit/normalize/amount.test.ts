import { expect, test } from '@jest/globals'
import type { Json } from '../../../src/contract/record.ts'
import { amountOf, currencyIn, currencyOf } from '../../../src/normalize/amount.ts'
import { decimalOf } from '../../support/decimal.ts'

test.each<[Json, number | null, string | null]>([
  [2, 2, null],
  [-2.5, -2.5, null],
  [250n, 250, null],
  [decimalOf('0.12345678901234567890'), 0.12345678901234568, null],
  ['2', 2, null],
  ['2.50', 2.5, null],
  ['2,00 €', 2, 'EUR'],
  ['€2.00', 2, 'EUR'],
  ['2.00\u00a0EUR', 2, 'EUR'],
  ['usd 2.00', 2, 'USD'],
  ['£ 3', 3, 'GBP'],
  ['US$ 4.10', 4.1, 'USD'],
  ['$1,234.56', 1234.56, null],
  ['1.234,56 EUR', 1234.56, 'EUR'],
  ["1'234.50 CHF", 1234.5, 'CHF'],
  ['1 234,50 kr', null, null],
  ['1 234,50', 1234.5, null],
  ['1,234', 1234, null],
  ['1.234', 1.234, null],
  ['1.234.567', 1234567, null],
  ['0,250', 0.25, null],
  ['12,5', 12.5, null],
  ['-2.50', -2.5, null],
  ['$-2.50', -2.5, null],
  ['1,23,4', null, null],
  ['EUR 2 EUR', null, null],
  ['free', null, null],
  ['', null, null],
  ['12 Main St', null, null],
  ['9'.repeat(41), null, null],
  [true, null, null],
  [null, null, null],
])('%j is the amount %s, in %s', (value, amount, currency) => {
  expect(amountOf(value)).toBe(amount)
  if (amount !== null) expect(currencyIn(value)).toBe(currency)
})

test.each<[Json, string | null]>([
  ['EUR', 'EUR'],
  [' usd ', 'USD'],
  ['€', 'EUR'],
  ['$', null],
  ['euro', null],
  [978, null],
])('the currency %j is %s', (value, code) => expect(currencyOf(value)).toBe(code))
