import { describe, expect, test } from '@jest/globals'
import type { SourceRecord } from '../../src/contract/record.ts'
import { type Traceparent, traceparent } from '../../src/contract/trace-context.ts'
import { createCards } from '../../src/normalize/card-data.ts'
import type { OpenSpan, SpanStart, Tracing } from '../../src/operate/tracing.ts'
import type { Portion } from '../../src/stream/gather.ts'
import { type Contexts, placeOf, traceChunk } from '../../src/trace-chunk.ts'

const { cleanText } = createCards({ tokenKey: null, exemptPaths: [] })
const contextOf = (number: number, flags = 1) => traceparent(String(number).padStart(32, 'a'), 'b'.repeat(16), flags)

const recordOf = (topic: string, partition: number, offset: number, traceparent?: unknown): SourceRecord => ({
  ...{ topic, partition, offset: String(offset), timestamp: 0, key: null, value: null },
  headers: traceparent === undefined ? {} : { traceparent: traceparent as Buffer },
})

const portionOf = (...records: SourceRecord[]) => {
  const [{ topic, partition }] = records as [SourceRecord]
  return { turn: { topic, partition }, records } as unknown as Portion
}

/** The span of a chunk, its links, and the contexts of its records. */
async function trace(portions: Portion[]) {
  let begun: { span: SpanStart; links: readonly Traceparent[] } | undefined
  let known: Contexts = new Map()
  const begin: Tracing['begin'] = (span, links, work) => {
    begun = { span, links }
    return work({} as OpenSpan)
  }
  await traceChunk({ tracing: { begin } as Tracing, group: 'group', cleanText }, portions, async (contexts) => {
    known = contexts
  })
  if (begun === undefined) throw new Error('no span was begun')
  return { ...begun, contexts: known }
}

describe('the trace of a chunk', () => {
  test('is linked to the recorded traces of its records, and knows the context of each that has one', async () => {
    const records = [
      recordOf('events', 1, 10, Buffer.from(contextOf(1))),
      recordOf('events', 1, 11, Buffer.from(contextOf(2, 0))),
      recordOf('events', 1, 12),
      recordOf('events', 1, 13, Buffer.from('no context')),
    ]
    const { links, contexts } = await trace([portionOf(...records)])
    expect(links).toEqual([contextOf(1)])
    expect([...contexts]).toEqual([
      [placeOf(records[0] as SourceRecord), contextOf(1)],
      [placeOf(records[1] as SourceRecord), contextOf(2, 0)],
    ])
  })

  test.each([
    ['in a trace id', `00-abababab4111111111111111abababab-${'b'.repeat(16)}-01`],
    ['at its end', `00-${'ab'.repeat(8)}4111111111111111-${'b'.repeat(16)}-01`],
    ['as a span id', `00-${'ab'.repeat(16)}-4111111111111111-01`],
    ['over both', `00-${'ab'.repeat(12)}a4111111-111111111aaaaaaa-01`],
  ])('takes no context that has a card number %s', async (_, context) => {
    const { links, contexts } = await trace([portionOf(recordOf('events', 1, 10, context))])
    expect([links, contexts.size]).toEqual([[], 0])
  })

  test('is named after its topic and partition, where it has one', async () => {
    const inOne = await trace([portionOf(recordOf('events', 1, 10))])
    expect(inOne.span.name).toBe('process events')
    expect(inOne.span.attributes).toMatchObject({ 'messaging.destination.partition.id': '1' })
    expect(inOne.span.attributes).not.toHaveProperty(['messaging.batch.message_count'])
    const inTwo = await trace([portionOf(recordOf('events', 1, 10)), portionOf(recordOf('events', 2, 10))])
    expect(inTwo.span.attributes).toMatchObject({ 'messaging.destination.name': 'events' })
    expect(inTwo.span.attributes).not.toHaveProperty(['messaging.destination.partition.id'])
    const ofTwo = await trace([portionOf(recordOf('events', 1, 10)), portionOf(recordOf('responses', 1, 10))])
    expect(ofTwo.span.name).toBe('process')
    expect(ofTwo.span.attributes).toMatchObject({ 'messaging.batch.message_count': 2 })
    expect(ofTwo.span.attributes).not.toHaveProperty(['messaging.destination.name'])
  })
})
