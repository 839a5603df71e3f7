import { expect, test } from '@jest/globals'
import type { SourceRecord } from '../../../src/contract/record.ts'
import { createGathering, type Portion, timestampsOf } from '../../../src/stream/gather.ts'
import type { Turn } from '../../../src/stream/turns.ts'

const portion = (partition: number, count: number): Portion => ({
  turn: { topic: 't', partition } as Turn,
  records: Array.from({ length: count }, (_, offset) => ({ partition, offset: String(offset) }) as SourceRecord),
  since: 0,
})
const later = () => new Promise(setImmediate)

function workshop(size: number, most: number) {
  const chunks: number[][] = []
  const ends: ((error?: Error) => void)[] = []
  const gather = createGathering(size, most, (portions) => {
    chunks.push(portions.map(({ turn }) => turn.partition))
    return new Promise((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())))
  })
  return { gather, chunks, ends }
}

test('portions that come in the same turn of the event loop are one chunk, up to its size', async () => {
  const { gather, chunks, ends } = workshop(10, 5)
  const settled: number[] = []
  for (const [partition, count] of [
    [0, 4],
    [1, 6],
    [2, 1],
    [3, 25],
    [4, 1],
  ] as const) {
    gather(portion(partition, count)).then(() => settled.push(partition))
  }
  expect(chunks).toEqual([])
  await later()
  expect(chunks).toEqual([[0, 1], [2], [3], [4]])
  ends[0]?.()
  await later()
  expect(settled).toEqual([0, 1])
})

test('while as many chunks are at work as may be, portions gather', async () => {
  const { gather, chunks, ends } = workshop(10, 1)
  gather(portion(0, 1))
  await later()
  gather(portion(1, 1))
  await later()
  gather(portion(2, 1))
  await later()
  expect(chunks).toEqual([[0]])
  ends[0]?.()
  await later()
  expect(chunks).toEqual([[0], [1, 2]])
})

test('a failure is that of all its portions, and the next chunk is worked on', async () => {
  const { gather, chunks, ends } = workshop(10, 1)
  const failures: unknown[] = []
  for (const partition of [0, 1]) gather(portion(partition, 1)).catch((error) => failures.push(error.message))
  await later()
  gather(portion(2, 1))
  ends[0]?.(new Error('away'))
  await later()
  expect([failures, chunks]).toEqual([
    ['away', 'away'],
    [[0, 1], [2]],
  ])
})

test('each partition of a chunk has an age of its own', () => {
  const since = timestampsOf([
    { ...portion(0, 1), since: 5 },
    { ...portion(1, 1), since: 900 },
    { ...portion(0, 1), since: 7 },
  ])
  expect([0, 1].map((partition) => since({ topic: 't', partition }))).toEqual([5, 900])
})
