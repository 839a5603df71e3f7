import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Kind } from '../../../src/contract/document.ts'
import type { Observation } from '../../../src/contract/observation.ts'
import type { StatusUpdate } from '../../../src/contract/status-update.ts'
import { createDecoder } from '../../../src/decode/decoder.ts'
import { createStatusCodec } from '../../../src/status/codec.ts'
import { fold, headOf } from '../../../src/status/fold.ts'

const codec = await createStatusCodec(null, 'updates', createDecoder(null))
const decode = (text: string) => codec.decodeHead(Buffer.from(text))

/** Texts that look like what is searched for. */
const tricky = fc.oneof(
  fc.string(),
  fc.constantFrom(',"revision":7,"state":{}', '","source":{', ',"source":{"', '\\', '"', ',', '☂"'),
)
const observation: fc.Arbitrary<Observation> = fc.record({
  key: tricky,
  kind: fc.constantFrom<Kind>('session', 'payment', 'error', 'status'),
  status: tricky,
  at: fc.integer({ min: 0, max: 4e12 }),
  event_id: tricky,
  session_id: fc.option(tricky),
  card: fc.option(tricky),
  zone_id: fc.option(tricky),
  event_type: fc.option(tricky),
  http_status: fc.oneof(fc.constant(null), fc.integer(), tricky),
  ends_at: fc.option(tricky),
  source: fc.record({ topic: tricky, partition: fc.nat(), offset: tricky }),
})

test('the head of an update that this program wrote is that of the update', () => {
  const property = (observations: Observation[]) => {
    let head: ReturnType<typeof headOf> | undefined
    for (const one of observations) {
      const update = fold(head, one)
      if (!update) continue
      head = headOf(update)
      const [message] = codec.toMessages(0, [{ key: one.key, update }])
      expect(codec.decodeHead(message?.value as Buffer)).toEqual(head)
    }
  }
  fc.assert(fc.property(fc.array(observation, { maxLength: 5 }), property), { numRuns: 300 })
})

test('each of many messages has the value and the headers of its own update', () => {
  const updates = Array.from({ length: 50 }, (_, i) => {
    const key = `s${i}é`
    const one = {
      key,
      kind: 'session',
      status: 'on-going',
      at: i,
      event_id: `e${i}`,
      session_id: key,
      card: null,
    } as const
    const more = { zone_id: null, event_type: null, http_status: null, ends_at: null }
    const update = fold(undefined, { ...one, ...more, source: { topic: 't', partition: 0, offset: String(i) } })
    return { key, update: update as StatusUpdate }
  })
  const messages = codec.toMessages(3, updates)
  expect(messages.map(({ value }) => JSON.parse(String(value)))).toEqual(updates.map(({ update }) => update))
  expect(messages.map(({ headers }) => headers?.ce_id)).toEqual(updates.map(({ update }) => update.id))
  expect(messages.map(({ key, partition }) => [key, partition])).toEqual(updates.map(({ key }) => [key, 3]))
})

describe('a head is read', () => {
  const state = '"state":{"session":{"status":"x","occurred_at":"t","event_id":"e"}}'

  test.each([
    ['from fields in another order', `{${state},"source":{},"revision":3}`],
    ['from JSON with spaces', `{ "revision": 3, ${state} }`],
    ['from these fields alone', `{"revision":3,${state}}`],
    [
      'past fields of the same names within others',
      `{"revision":3,${state},"source":{"a":{"source":{},"revision":9}}}`,
    ],
  ])('%s', (_, text) => {
    expect(decode(text)).toEqual({ revision: 3, state: { session: { status: 'x', occurred_at: 't', event_id: 'e' } } })
  })

  test.each([
    ['{', /JSON/],
    ['{"x":1,"revision":"1","state":{},"source":{}}', /no revision/],
    ['{"x":1,"revision":1,"state":null,"source":{}}', /no state/],
    ['{"x":1,"revision":1,"state":{"session":{"status":"x"}},"source":{}}', /kind session is not whole/],
    ['[]', /no revision/],
  ])('not from %s', (text, said) => {
    expect(() => decode(text)).toThrow(said)
  })
})
