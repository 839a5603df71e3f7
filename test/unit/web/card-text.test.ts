import { describe, expect, test } from '@jest/globals'
import { looksLikeCardNumber, mayBeCardNumber } from '../../../web/src/card-text.ts'

describe('what was given as a card', () => {
  test.each([
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111–1111–1111–1111',
    '3782.822463.10005',
    ' 4111\u00a01111\u00a01111\u00a01111 ',
    'card: 4111111111111111!',
    '４１１１１１１１１１１１１１１１',
    '٤١١١١١١١١١١١١١١١',
    '123456789012',
  ])('%j may be a number and goes into no address', (text) => expect(mayBeCardNumber(text)).toBe(true))

  test.each(['tok_00000000000000000000000000000000', '411111******1111', 'card_9f8e7d6c5b4a3f2e', '12345678901', ''])(
    '%j is none',
    (text) => expect(mayBeCardNumber(text)).toBe(false),
  )

  test('as a token of another length is not trusted to be one', () => {
    expect(mayBeCardNumber('tok_4111111111111111')).toBe(true)
  })
})

describe('what was given as a session id', () => {
  test.each(['4111111111111111', '4111 1111 1111 1111', '378282246310005', '5555-5555-5555-4444'])(
    '%j looks like a card number',
    (text) => expect(looksLikeCardNumber(text)).toBe(true),
  )

  test.each(['4111111111111112', 'IC41111111111111', '9111111111111117', '9223372036854775807', '411111111111'])(
    '%j does not',
    (text) => expect(looksLikeCardNumber(text)).toBe(false),
  )
})
