import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Filter } from '../../../../src/serve/live/item.ts'
import { Client, EVERYTHING, type Fields, PLAIN, Topic, turns } from './stream-model.ts'

const PARTITIONS = 3
const CLIENTS = 3

const fields: fc.Arbitrary<Partial<Fields> | null> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.record({
      changed: fc.boolean(),
      kind: fc.constantFrom('session', 'payment'),
      session_id: fc.constantFrom('s1', 's2', null),
      zone_id: fc.constantFrom('Z1', 'Z2', null),
      card: fc.constantFrom('tok_1', 'tok_2', null),
    }),
  },
)
const some = (...names: string[]) => fc.option(fc.subarray(names, { minLength: 1 }).map((all) => new Set(all)))
const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.constant(EVERYTHING),
  fc.record({
    all: fc.boolean(),
    zones: some('Z1', 'Z2', 'Z9'),
    sessions: some('s1', 's2'),
    cards: some('tok_1', 'tok_9'),
    kinds: some('session', 'payment') as fc.Arbitrary<Filter['kinds']>,
    readable: some('Z1', 'Z3'),
    showsCards: fc.boolean(),
  }),
)

type Step =
  | { do: 'publish'; partition: number; what: (Partial<Fields> | null)[] }
  | { do: 'connect'; client: number; cutAfter: number }
  | { do: 'disconnect' | 'stall' | 'flow' | 'beat'; client: number }
  | { do: 'pass'; count: number }
  | { do: 'fail'; after: number; count: number }

const step = <T>(weight: number, fields: { [key in keyof T]: fc.Arbitrary<T[key]> }) => ({
  weight,
  arbitrary: fc.record(fields) as unknown as fc.Arbitrary<Step>,
})
const client = fc.nat(CLIENTS - 1)
const steps = fc.oneof(
  step(8, { do: fc.constant('publish'), partition: fc.nat(PARTITIONS - 1), what: fc.array(fields, { maxLength: 8 }) }),
  step(2, { do: fc.constant('connect'), client, cutAfter: fc.oneof(fc.nat(6), fc.constant(1_000)) }),
  step(1, { do: fc.constant('disconnect'), client }),
  step(7, { do: fc.constantFrom('stall', 'stall', 'flow', 'beat'), client }),
  step(4, { do: fc.constant('pass'), count: fc.nat(12) }),
  step(1, { do: fc.constant('fail'), after: fc.nat(12), count: fc.integer({ min: 1, max: 7 }) }),
)

async function take(topic: Topic, clients: readonly Client[], one: Step): Promise<void> {
  if (one.do === 'publish') return topic.publish(one.partition, one.what)
  if (one.do === 'pass') return turns(one.count)
  if (one.do === 'fail') {
    topic.successes = one.after
    topic.failures = one.count
    return
  }
  const it = clients[one.client] as Client
  const { connection } = it
  if (one.do === 'connect') it.connect(one.cutAfter)
  else if (one.do === 'disconnect') it.disconnect()
  else if (connection && one.do === 'stall') connection.isStalled = true
  else if (connection && one.do === 'flow') connection.flow()
  else if (connection && one.do === 'beat') topic.hub.beat(connection)
}

/** Reads again, and comes back where it was dropped, until it has all. */
async function comeHome(topic: Topic, it: Client): Promise<void> {
  topic.failures = 0
  for (let tries = 0; tries < 20; tries++) {
    if (it.connection === null || it.connection.isGone) it.connect()
    it.framesLeft = Number.POSITIVE_INFINITY
    it.connection?.flow()
    await it.joined
    await turns(8)
    if (it.connection?.isGone === false) return
  }
  throw new Error('it is dropped again and again')
}

describe('whatever happens', () => {
  test('each client has each update that it wants once, in the order of its partition, from where it began', async () => {
    const property = async (
      begins: (number[] | null)[],
      filters: Filter[],
      old: number[],
      mostRecent: number,
      all: Step[],
    ) => {
      const topic = new Topic(PARTITIONS, mostRecent, old)
      const begin = (i: number) => begins[i]?.map((offset, partition) => Math.min(offset, old[partition] ?? 0)) ?? null
      const clients = filters.map((one, i) => new Client(topic.hub, one, begin(i)))
      for (const it of clients.slice(1)) it.connect()
      for (const one of all) await take(topic, clients, one)
      for (const it of clients) await comeHome(topic, it)
      topic.publish(0, [PLAIN, null])
      await turns(3)
      for (const it of clients) {
        expect(topic.byPartition(it.seen)).toEqual(topic.wanted(it.begin ?? [], it.filter))
        expect([it.events, typeof it.lastId]).toEqual([[], 'string'])
        it.disconnect()
      }
      expect(topic.hub.size).toBe(0)
    }
    const offsets = fc.array(fc.nat(20), { minLength: PARTITIONS, maxLength: PARTITIONS })
    const begins = fc.array(fc.option(offsets), { minLength: CLIENTS, maxLength: CLIENTS })
    const filters = fc.array(filter, { minLength: CLIENTS, maxLength: CLIENTS })
    await fc.assert(
      fc.asyncProperty(
        begins,
        filters,
        offsets,
        fc.integer({ min: 2, max: 80 }),
        fc.array(steps, { maxLength: 80, size: 'max' }),
        property,
      ),
      { numRuns: 300 },
    )
  }, 120_000)
})
