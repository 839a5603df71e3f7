import { describe, expect, test } from '@jest/globals'
import { batchesOf, committedOf, decodeFetch, messagesOf } from '../../../src/stream/fetch-answer.ts'

const TRANSACTIONAL = 0x10
const CONTROL = 0x20

interface BatchParts {
  base: number
  last: number
  producer?: number
  attributes?: number
  /** Offsets of the records that are left. */
  records?: number[]
  key?: Buffer
}

/** A record batch as a broker has it, its records with the offset as value. */
function batch({
  base,
  last,
  producer = -1,
  attributes = 0,
  records = [],
  key = Buffer.from('k'),
}: BatchParts): Buffer {
  const header = Buffer.alloc(61)
  const bodies = records.map((offset) => {
    const value = Buffer.from(String(offset))
    const body = [Buffer.from([0, 0, 2 * (offset - base), 2 * key.length]), key, Buffer.from([2 * value.length]), value]
    const record = Buffer.concat([...body, Buffer.from([0])])
    return Buffer.concat([Buffer.from([2 * record.length]), record])
  })
  const body = Buffer.concat(bodies)
  header.writeBigInt64BE(BigInt(base), 0)
  header.writeInt32BE(61 - 12 + body.length, 8)
  header[16] = 2
  header.writeInt16BE(attributes, 21)
  header.writeInt32BE(last - base, 23)
  header.writeBigInt64BE(1_000n, 27)
  header.writeBigInt64BE(2_000n, 35)
  header.writeBigInt64BE(BigInt(producer), 43)
  header.writeInt32BE(records.length, 57)
  return Buffer.concat([header, body])
}

const COMMIT = Buffer.from([0, 0, 0, 1])
const ABORT = Buffer.from([0, 0, 0, 0])
const marker = (base: number, producer: number, key: Buffer) =>
  batch({ base, last: base, producer, attributes: TRANSACTIONAL | CONTROL, records: [base], key })
const written = (base: number, producer: number) =>
  batch({ base, last: base, producer, attributes: TRANSACTIONAL, records: [base] })

/** The answer of a broker, in a version of the fetch protocol. */
function answer(version: number, throttleMs: number, parts: Buffer[], aborted: [number, number][] = []): Buffer {
  const records = Buffer.concat(parts)
  const int = (bytes: 2 | 4 | 8, value: number) => {
    const buffer = Buffer.alloc(bytes)
    if (bytes === 8) buffer.writeBigInt64BE(BigInt(value))
    else buffer.writeIntBE(value, 0, bytes)
    return buffer
  }
  return Buffer.concat([
    int(4, throttleMs),
    ...(version >= 7 ? [int(2, 0), int(4, 0)] : []),
    ...[int(4, 1), int(2, 5), Buffer.from('topic'), int(4, 1)],
    ...[int(4, 3), int(2, 0), int(8, 100), int(8, 90)],
    ...(version >= 5 ? [int(8, 0)] : []),
    int(4, aborted.length),
    ...aborted.flatMap(([producer, first]) => [int(8, producer), int(8, first)]),
    ...(version >= 11 ? [int(4, -1)] : []),
    ...[int(4, records.length), records],
  ])
}

const valuesOf = async (records: Buffer, aborted: { producerId: bigint; firstOffset: bigint }[] = []) => {
  const messages = []
  for (const one of committedOf(batchesOf(records), aborted)) messages.push(...(await messagesOf(one, true)))
  return messages.map(({ value }) => String(value))
}

describe('the answer to a fetch', () => {
  test.each([4, 5, 7, 8, 11])('is read in version %i', (version) => {
    const records = batch({ base: 5, last: 5, records: [5] })
    const { partition, clientSideThrottleTime } = decodeFetch(answer(version, 50, [records], [[9, 7], [8, 2]]), version) // biome-ignore format: pairs
    expect(clientSideThrottleTime).toBe(version >= 8 ? 50 : 0)
    expect(partition).toEqual({
      ...{ errorCode: 0, lastStableOffset: 90n, records },
      aborted: [
        { producerId: 8n, firstOffset: 2n },
        { producerId: 9n, firstOffset: 7n },
      ],
    })
  })

  test('has no partition where the broker throttles', () => {
    const throttled = Buffer.from([0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(decodeFetch(throttled, 11)).toEqual({ clientSideThrottleTime: 99, partition: null })
  })

  test('has an error where the session is refused', () => {
    const refused = Buffer.from([0, 0, 0, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(decodeFetch(refused, 11).partition?.errorCode).toBe(70)
  })
})

describe('the batches of an answer', () => {
  test('end with the last whole one', () => {
    const whole = batch({ base: 1, last: 2, records: [1, 2] })
    const cut = batch({ base: 3, last: 9, records: [3, 4] })
    for (let length = 0; length < cut.length; length++) {
      expect(batchesOf(Buffer.concat([whole, cut.subarray(0, length)])).map(({ lastOffset }) => lastOffset)).toEqual([
        2n,
      ])
    }
  })

  test('tell their last offset also where their records were compacted away', async () => {
    const records = Buffer.concat([batch({ base: 1, last: 7, records: [3] }), batch({ base: 8, last: 20 })])
    expect(batchesOf(records).map(({ lastOffset }) => lastOffset)).toEqual([7n, 20n])
    expect(await valuesOf(records)).toEqual(['3'])
  })

  test('of before Kafka 0.11 are refused', () => {
    const old = batch({ base: 1, last: 1 })
    old[16] = 1
    expect(() => batchesOf(old)).toThrow('a record batch has format 1, of before Kafka 0.11')
  })

  test('have the time of the append where the topic says so', async () => {
    const [created, appended] = [0, 0x8].map((attributes) => batch({ base: 1, last: 1, records: [1], attributes }))
    for (const [bytes, timestamp] of [
      [created, '1000'],
      [appended, '2000'],
    ] as const) {
      // biome-ignore format: pairs
      const [one] = batchesOf(bytes as Buffer)
      expect(await messagesOf(one as NonNullable<typeof one>, false)).toMatchObject([{ offset: '1', timestamp }])
    }
  })
})

describe('of the transactions in an answer', () => {
  test('those stay that were committed, of the same writer too', async () => {
    const records = Buffer.concat([written(0, 1), marker(1, 1, ABORT), written(2, 1), marker(3, 1, COMMIT)])
    expect(await valuesOf(records, [{ producerId: 1n, firstOffset: 0n }])).toEqual(['2'])
  })

  test('each goes by its own writer where they interleave', async () => {
    const records = Buffer.concat([
      written(0, 1),
      written(1, 2),
      marker(2, 1, ABORT),
      written(3, 2),
      marker(4, 2, COMMIT),
    ])
    expect(await valuesOf(records, [{ producerId: 1n, firstOffset: 0n }])).toEqual(['1', '3'])
  })

  test('an abort is known whose first records are gone', async () => {
    const records = Buffer.concat([batch({ base: 0, last: 4, producer: 1, attributes: TRANSACTIONAL }), written(5, 1)])
    expect(await valuesOf(records, [{ producerId: 1n, firstOffset: 0n }])).toEqual([])
  })

  test('a plain record with the key of an abort marker ends none', async () => {
    const key = ABORT
    const inTransaction = batch({ base: 0, last: 0, producer: 1, attributes: TRANSACTIONAL, records: [0], key })
    const records = Buffer.concat([
      inTransaction,
      written(1, 1),
      marker(2, 1, ABORT),
      batch({ base: 3, last: 3, records: [3], key }),
    ])
    expect(await valuesOf(records, [{ producerId: 1n, firstOffset: 0n }])).toEqual(['3'])
  })
})
