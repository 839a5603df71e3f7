import { expect, test } from '@jest/globals'
import { createDecoder } from '../../src/decode/decoder.ts'
import { encodeEach } from '../../src/documents/bson.ts'
import { createCards } from '../../src/normalize/card-data.ts'
import { normalize } from '../../src/normalize/normalize.ts'
import { placeChunk, type Taken } from '../../src/place-chunk.ts'
import { deadLetter } from '../../src/stream/dead-letters.ts'
import { pack } from '../../src/stream/packs.ts'
import { hostileRecords } from '../support/hostile-records.ts'

/** What a broker takes by default. */
const BYTES = 1_000_000
const MOST_SECONDS = 1

const decoder = createDecoder(null)
const cards = createCards({ tokenKey: 'a key for tests, of no other use', exemptPaths: [] })
const options = { retentionMs: 9e11, maxClockSkewMs: 300_000 }
const hostile = hostileRecords(BYTES)

function understand(record: Taken['record'], value: Buffer): Taken {
  const decoded = decoder.decode(value)
  if ('reject' in decoded) return { record, reject: decoded }
  const normalized = normalize('event', null, decoded.value, cards)
  return 'reject' in normalized ? { record, reject: normalized } : { record, id: normalized.id, normalized }
}

/** All that is made of a value, up to what would be sent and stored. */
function take(value: Buffer): void {
  const record = { topic: 't', partition: 1, offset: '7', timestamp: Date.now(), key: null, value, headers: {} }
  const placed = placeChunk([understand(record, value)], () => undefined, Date.now(), options)
  const documents = Array.from(placed.entries.values(), ({ document }) => document)
  encodeEach(documents, () => {})
  pack(placed.observations, 12)
  for (const { reject } of placed.rejects) deadLetter(record, reject, 12, cards)
}

/** Of the processor, so that what else the machine does counts little; the better of two, so that a first run does not count. */
function secondsOf(work: () => void): number {
  const seconds = [1, 2].map(() => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  })
  return Math.min(...seconds)
}

test.each(Object.keys(hostile))('a record of a megabyte costs at most a second: %s', (name) => {
  const value = hostile[name] as Buffer
  expect(value.length / BYTES).toBeCloseTo(1, 1)
  expect(secondsOf(() => take(value))).toBeLessThanOrEqual(MOST_SECONDS)
})

/** Regular expressions fail on such: what fails on a record makes a dead letter of it, and what fails on that stops its partition. */
test('millions of characters of one kind fail nowhere', () => {
  const large = hostileRecords(7_000_000)
  for (const name of [
    'one run of a digit',
    'digits with blanks',
    'digits as the HTTP status',
    'digits as the timestamp',
  ]) {
    const value = large[name] as Buffer
    const record = { topic: 't', partition: 1, offset: '7', timestamp: Date.now(), key: null, value, headers: {} }
    expect(() => understand(record, value)).not.toThrow()
    expect(() => cards.cleanBytes(value)).not.toThrow()
  }
}, 60_000)
