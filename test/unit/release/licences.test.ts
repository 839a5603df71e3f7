import { expect, test } from '@jest/globals'
import { ROOT } from '../../../local/build.ts'
import { type Dependency, dependencies } from '../../../release/dependencies.ts'
import { checkLicences, isAllowed, refused, unused } from '../../../release/licences.ts'

const dependency = (fields: Partial<Dependency>): Dependency => ({
  ...{ name: 'a', version: '1.0.0', path: 'node_modules/a', shipped: true, licence: 'MIT' },
  ...fields,
})

test('the licences of all dependencies are agreed to, and no exception is left over', async () => {
  expect(await checkLicences(ROOT)).toMatch(/^The licences of all [1-9]\d\d dependencies are allowed$/)
  expect(unused(await dependencies(ROOT))).toEqual([])
})

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0-only)', true],
  ['Apache-2.0 AND MIT', true],
  ['(MIT AND GPL-3.0-only)', false],
  ['AGPL-3.0-or-later', false],
  ['SEE LICENSE IN LICENSE', false],
  ['(MIT OR (GPL-3.0-only AND MIT))', false],
  ['UNLICENSED', false],
])('%s: %p', (expression, expected) => {
  expect(isAllowed(expression)).toBe(expected)
})

test('what is not agreed to is named, with where it is', () => {
  expect(refused([dependency({}), dependency({ name: 'b', path: 'node_modules/b', licence: 'GPL-3.0-only' })])).toEqual(
    ['b 1.0.0 (node_modules/b, shipped): GPL-3.0-only'],
  )
  expect(refused([dependency({ licence: null })])).toEqual(['a 1.0.0 (node_modules/a, shipped): names no licence'])
})

test('an exception for what only tests or builds is none for what is shipped', () => {
  const axe = { name: 'axe-core', licence: 'MPL-2.0' }
  expect(refused([dependency({ ...axe, shipped: false })])).toEqual([])
  expect(refused([dependency({ ...axe, shipped: true })])).toHaveLength(1)
})
