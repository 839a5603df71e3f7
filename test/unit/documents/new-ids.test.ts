import { describe, expect, test } from '@jest/globals'
import { createNewIds } from '../../../src/documents/new-ids.ts'

describe('new ids', () => {
  test('are expected after a row of chunks that held nothing else, of that partition', () => {
    const newIds = createNewIds()
    for (let chunk = 0; chunk < 4; chunk++) {
      expect(newIds.expected('a/0')).toBe(false)
      newIds.saw('a/0', true)
    }
    expect(newIds.expected('a/0')).toBe(true)
    expect(newIds.expected('a/1')).toBe(false)
  })

  test('are not expected after one that was stored before', () => {
    const newIds = createNewIds()
    for (let chunk = 0; chunk < 9; chunk++) newIds.saw('a/0', true)
    newIds.saw('a/0', false)
    newIds.saw('a/0', true)
    expect(newIds.expected('a/0')).toBe(false)
  })
})
