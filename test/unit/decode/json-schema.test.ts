import { expect, test } from '@jest/globals'
import { createDrafts } from '../../../src/decode/json-schema.ts'

test('a bad reference spoils no other schema', () => {
  const drafts = createDrafts()
  drafts.addSchema({ type: 'object' }, 'one')
  drafts.addSchema({ type: 'string' }, 'one')
  expect(() => drafts.compile({ $ref: 'one' })).toThrow('one')
  expect(drafts.compile({ type: 'object' })({})).toBe(true)
})
