import { describe, expect, test } from '@jest/globals'
import { openMongo } from '../../../src/documents/connect.ts'

const open = (query: string) =>
  openMongo({ uri: `mongodb://127.0.0.1:1/?${query}`, database: 'd', collection: 'c' }, 'test')

describe('the read preference of the connection string', () => {
  const QUERY = 'readPreference=nearest&readPreferenceTags=dc:east&maxStalenessSeconds=120'

  test('is for what is only shown', () => {
    const { reads } = open(QUERY)
    expect([reads.mode, reads.tags, reads.maxStalenessSeconds]).toEqual(['nearest', [{ dc: 'east' }], 120])
  })

  test('is for nothing else', () => {
    const { client, collection, prices } = open(QUERY)
    for (const { readPreference } of [client, collection, prices]) expect(readPreference?.mode).toBe('primary')
  })

  test('is the primary where none is given', () => {
    expect(open('').reads.mode).toBe('primary')
  })
})
