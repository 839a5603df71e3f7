import { describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import type { Observation } from '../../../src/contract/observation.ts'
import { traceparent } from '../../../src/contract/trace-context.ts'
import { type Chunk, chunks } from '../../../src/status/chunks.ts'
import { createStatusCodec } from '../../../src/status/codec.ts'
import { foldAll } from '../../../src/status/fold.ts'
import { pack } from '../../../src/stream/packs.ts'
import { setContext } from '../../../src/stream/trace-messages.ts'

const contextOf = (number: number, flags = 1) => traceparent(String(number).padStart(32, '0'), 'b'.repeat(16), flags)
const SENDER = contextOf(77)

const observation = (at: number): Observation => ({
  ...{ key: `s${at}`, kind: 'session', status: 'on-going', at, event_id: `e${at}`, session_id: `s${at}`, card: null },
  ...{ zone_id: null, event_type: null, http_status: 200, ends_at: null },
  source: { topic: 'events', partition: 0, offset: String(at) },
})

/** Two packs of three observations each: the first of a pack has a recorded context, the second one that is not recorded. */
function messages(): KafkaMessage[] {
  return [1, 4].map((first) => {
    const three = [first, first + 1, first + 2].map(observation)
    const [message] = pack(three, 1, ({ at }) => [undefined, contextOf(at), contextOf(at, 0)][at % 3])
    if (message === undefined) throw new Error('there is no pack')
    setContext(message, SENDER)
    const headers = Object.fromEntries(
      Object.entries(message.headers ?? {}).map(([name, header]) => [name, Buffer.from(String(header))]),
    )
    return { ...message, offset: String(first), timestamp: '1', attributes: 0, headers } as unknown as KafkaMessage
  })
}

/** The next one would take its observations from it. */
const firstChunk = () => chunks(messages(), 100, true).next().value as Chunk

describe('the traces that led to a chunk', () => {
  test('are those of its packs and of its records, each once, as far as they are recorded', () => {
    const chunk = firstChunk()
    expect(chunk.trails?.links()).toEqual([SENDER, contextOf(1), contextOf(4)])
  })

  test('are told by the updates of these records, and by no others', async () => {
    const chunk = firstChunk()
    const { updates } = foldAll(() => undefined, chunk.take(), 0)
    const codec = await createStatusCodec(null, 'status', { prepare: async () => {}, decode: () => ({ value: null }) })
    const told = codec.toMessages(0, updates, chunk.trails?.contexts).map(({ headers }) => headers?.traceparent)
    expect(told).toEqual([contextOf(1), contextOf(2, 0), undefined, contextOf(4), contextOf(5, 0), undefined])
    const plain = codec.toMessages(0, updates)
    expect(plain.some(({ headers }) => headers !== undefined && 'traceparent' in headers)).toBe(false)
  })

  test('are not looked for where no traces are wanted', () => {
    expect([...chunks(messages(), 100, false)].map(({ trails }) => trails)).toEqual([null])
  })
})
