import { createRequire } from 'node:module'
import { expect, test } from '@jest/globals'
import { ABORT, answer, batch, marker, written } from '../../support/fetch-answer.ts'

const original = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/v11/response.js').decode
// Only now: importing it puts ours in the place of the original.
const { decodeFetchAnswer, unreadable } = await import('../../../src/stream/kafkajs-fetch.ts')

const good = batch({ base: 5, last: 6, records: [5, 6] })
const GZIP = 1
/** It says that it is compressed, and is not. */
const bad = batch({ base: 7, last: 7, records: [7], attributes: GZIP })

async function read(parts: Buffer[]) {
  const told: [number, string][] = []
  const tell = ({ partition, offset }: { partition: number; offset: string }) => told.push([partition, offset])
  unreadable.on('batch', tell)
  const { responses } = await decodeFetchAnswer(answer(11, 0, parts))
  unreadable.off('batch', tell)
  const messages = responses[0]?.partitions[0]?.messages as { offset: string }[]
  return { offsets: messages.map(({ offset }) => offset), told }
}

test.each<[string, Buffer[], [number, number][]]>([
  ['nothing', [], []],
  ['a batch', [good], []],
  ['several, and the end of one cut off', [good, written(7, 1), good.subarray(0, 70)], []],
  ['an aborted transaction', [written(5, 1), marker(6, 1, ABORT)], [[1, 5]]],
])('%s is read as kafkajs reads it', async (_, parts, aborted) => {
  const bytes = answer(11, 50, parts, aborted)
  expect(await decodeFetchAnswer(bytes)).toEqual(await original(bytes))
})

test('where kafkajs gives up the whole answer, the partition has what stands before', async () => {
  await expect(original(answer(11, 0, [good, bad]))).rejects.toThrow()
  expect(await read([good, bad, good])).toEqual({ offsets: ['5', '6'], told: [] })
})

test('one that nothing stands before is told, with its place', async () => {
  expect(await read([bad, good])).toEqual({ offsets: [], told: [[3, '7']] })
})
