import { describe, expect, test } from '@jest/globals'
import { batchesOf, committedOf, decodeFetch, messagesOf } from '../../../src/stream/fetch-answer.ts'
import { ABORT, answer, answerOf, batch, COMMIT, marker, TRANSACTIONAL, written } from '../../support/fetch-answer.ts'

const valuesOf = async (records: Buffer, aborted: { producerId: bigint; firstOffset: bigint }[] = []) => {
  const messages = []
  for (const one of committedOf(batchesOf(records), aborted)) messages.push(...(await messagesOf(one, true)))
  return messages.map(({ value }) => String(value))
}

describe('the answer to a fetch', () => {
  test.each([4, 5, 7, 8, 11])('is read in version %i', (version) => {
    const records = batch({ base: 5, last: 5, records: [5] })
    const { partitions, clientSideThrottleTime } = decodeFetch(answer(version, 50, [records], [[9, 7], [8, 2]]), version) // biome-ignore format: pairs
    expect(clientSideThrottleTime).toBe(version >= 8 ? 50 : 0)
    expect([...partitions.keys()]).toEqual([3])
    expect(partitions.get(3)).toEqual({
      ...{ errorCode: 0, lastStableOffset: 90n, records },
      aborted: [
        { producerId: 8n, firstOffset: 2n },
        { producerId: 9n, firstOffset: 7n },
      ],
    })
  })

  test.each([4, 5, 7, 8, 11])('has each partition with what is its own, in version %i', (version) => {
    const [first, last] = [batch({ base: 5, last: 5, records: [5] }), batch({ base: 8, last: 9, records: [8, 9] })]
    const { errorCode, partitions } = decodeFetch(
      answerOf(version, 0, [
        { partition: 7, batches: [first, last], aborted: [[9, 7]] },
        { partition: 0 },
        { partition: 11, errorCode: 6 },
        { partition: 2, batches: [last] },
      ]),
      version,
    )
    const none = Buffer.alloc(0)
    expect(errorCode).toBe(0)
    expect(
      [...partitions].map(([partition, one]) => [partition, one.errorCode, one.aborted.length, one.records]),
    ).toEqual([
      [7, 0, 1, Buffer.concat([first, last])],
      [0, 0, 0, none],
      [11, 6, 0, none],
      [2, 0, 0, last],
    ])
  })

  test('has no partition where the broker throttles', () => {
    const throttled = Buffer.from([0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(decodeFetch(throttled, 11)).toEqual({ clientSideThrottleTime: 99, errorCode: 0, partitions: new Map() })
  })

  test('has an error where the session is refused', () => {
    const refused = Buffer.from([0, 0, 0, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(decodeFetch(refused, 11).errorCode).toBe(70)
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
