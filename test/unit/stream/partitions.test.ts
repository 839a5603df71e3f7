import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { partitionOf } from '../../../src/stream/partitions.ts'

const partitioner = Partitioners.DefaultPartitioner()
const javaPartition = (key: string, count: number) =>
  partitioner({
    topic: 'any',
    partitionMetadata: Array.from({ length: count }, (_, partitionId) => ({
      ...{ partitionId, leader: 1, partitionErrorCode: 0, replicas: [1], isr: [1] },
    })),
    message: { key, value: '' },
  })

describe('the partition of a key', () => {
  test('is the one that Kafka documents for known keys', () => {
    // Values of org.apache.kafka.common.utils.Utils.murmur2, from Kafka's own UtilsTest.
    const known: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ]
    for (const [key, hash] of known) expect(partitionOf(key, 1 << 30)).toBe((hash & 0x7fffffff) % (1 << 30))
  })

  test('is the one that the default partitioner of the client gives', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.integer({ min: 1, max: 200 }), (key, count) => {
        expect(partitionOf(key, count)).toBe(javaPartition(key, count))
      }),
    )
  })
})
