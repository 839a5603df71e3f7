import { expect, test } from '@jest/globals'
import { PrimaryUnavailable, unavailable } from '../../../src/primary/unavailable.ts'

const driverError = (fields: object) => Object.assign(new Error("for user 'reader'@'10.0.0.7' geheim"), fields)

test.each([
  ['away', 'does not listen', { code: 'ECONNREFUSED', errno: -111 }],
  ['away', 'refuses the user or the password', { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }],
  ['away', 'does not answer', { code: 'PROTOCOL_CONNECTION_LOST' }],
  ['away', '(Error)', {}],
  ['timeout', 'in time', { code: 'ETIMEDOUT' }],
  ['timeout', 'in time', { code: 'ER_QUERY_TIMEOUT', errno: 3024 }],
  ['timeout', 'in time', { errno: 1969 }],
])('%s: %s', (reason, words, fields) => {
  const error = unavailable(driverError(fields))
  expect(error).toMatchObject({ name: 'PrimaryUnavailable', reason })
  expect(error.message).toContain(words)
  expect(JSON.stringify([error.message, error.cause, error.stack])).not.toMatch(/geheim|10\.0\.0\.7|reader/)
})

test('what is in our words already stays', () => {
  const error = new PrimaryUnavailable('busy', 'ten are at it')
  expect(unavailable(error)).toBe(error)
})
