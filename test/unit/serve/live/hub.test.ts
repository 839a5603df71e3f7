import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Filter } from '../../../../src/serve/live/item.ts'
import { positionText } from '../../../../src/serve/live/position.ts'
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

describe('a client', () => {
  let topic: Topic
  const clients: Client[] = []
  const comes = (filter = EVERYTHING, begin: number[] | null = null) => {
    const it = new Client(topic.hub, filter, begin)
    clients.push(it)
    it.connect()
    return it
  }
  afterEach(() => {
    for (const it of clients.splice(0)) it.disconnect()
  })

  test('that comes back finds nothing missing where a partition has no update at all', async () => {
    topic = new Topic(3, 10)
    topic.publish(1, [PLAIN])
    const it = comes(EVERYTHING, [0, 0, 0])
    await it.joined
    topic.publish(1, [PLAIN])
    await turns(2)
    expect(it.seen).toEqual(['1/0', '1/1'])
    it.connect()
    await it.joined
    topic.publish(2, [PLAIN])
    topic.publish(0, [PLAIN])
    await turns(2)
    expect(it.seen.slice(2)).toEqual(['2/0', '0/0'])
  })

  test('gets what a partition holds that was added after it left', async () => {
    topic = new Topic(3, 10)
    topic.publish(0, [PLAIN])
    const it = comes(EVERYTHING, [1])
    await it.joined
    it.disconnect()
    topic.publish(2, [PLAIN, PLAIN])
    it.connect()
    await it.joined
    expect(it.seen).toEqual(['2/0', '2/1'])
  })

  test('moves on over markers, by heartbeats too', async () => {
    topic = new Topic(2, 10)
    const it = comes()
    await it.joined
    topic.publish(1, [PLAIN, null])
    await turns(2)
    expect(it.lastId).toBe('0.1')
    topic.publish(1, [null, null])
    topic.hub.beat(it.connection as never)
    await turns(2)
    expect(it.lastId).toBe('0.4')
  })

  test('with a position that lies ahead is waited for, then told so, and begins now', async () => {
    topic = new Topic(2, 10)
    topic.publish(0, [PLAIN])
    const it = comes(EVERYTHING, [2, 0])
    await it.joined
    expect([it.events, it.seen, it.lastId]).toEqual([['reset'], [], '1'])
    topic.publish(0, [PLAIN])
    await turns(2)
    expect(it.seen).toEqual(['0/1'])
  })

  test('with a position that was not read here yet goes on there when it is, however long Kafka is away', async () => {
    topic = new Topic(1, 10, [], 1)
    topic.isAway = true
    const it = comes(EVERYTHING, [1])
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect([it.events, it.seen]).toEqual([[], []])
    topic.publish(0, [PLAIN, PLAIN])
    await it.joined
    expect([it.events, it.seen]).toEqual([[], ['0/1']])
  })

  test('that may not see cards gets none', async () => {
    topic = new Topic(1, 10)
    const texts: string[] = []
    const connection = {
      ...{ filter: { ...EVERYTHING, showsCards: false }, isGone: false, waiting: () => 0, drained: async () => {} },
      deliver: (frames: readonly Uint8Array[]) => void texts.push(Buffer.concat(frames).toString()),
      drop: () => {},
    }
    topic.publish(0, [{ ...PLAIN, card: 'tok_secret' }])
    await topic.hub.join(connection, [0])
    topic.publish(0, [{ ...PLAIN, card: 'tok_secret' }])
    await turns(2)
    expect(texts.join('').match(/event: status/g)).toHaveLength(2)
    expect(texts.join('')).not.toContain('tok_secret')
    expect(texts.join('')).not.toContain('"card"')
    expect(JSON.parse(/data: (.*)/.exec(texts.join(''))?.[1] ?? '')).toMatchObject({ session_id: 's1', zone_id: 'Z1' })
  })

  test('that reads nothing is dropped, others are not held up, and it may come back', async () => {
    topic = new Topic(1, 50)
    const [slow, other] = [comes(), comes()]
    await Promise.all([slow.joined, other.joined])
    const connection = slow.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    for (let i = 0; i < 100 && !connection.isGone; i++) {
      topic.publish(0, [PLAIN])
      await turns(2)
      expect(other.seen).toHaveLength(i + 1)
      expect(connection.waiting()).toBeLessThan(200_000)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(connection.dropped).toBe('slow')
    slow.connect()
    await slow.joined
    expect(slow.seen).toEqual(other.seen)
  })

  test('that fell behind for a moment catches up, and is not dropped', async () => {
    topic = new Topic(1, 200)
    const it = comes()
    await it.joined
    const connection = it.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    for (let i = 0; i < 15; i++) topic.publish(0, [PLAIN])
    await turns(1)
    connection.flow()
    await turns(10)
    topic.publish(0, [PLAIN])
    await turns(5)
    expect(connection.isGone).toBe(false)
    expect(it.seen).toEqual(Array.from({ length: 16 }, (_, offset) => `0/${offset}`))
  })

  test('that falls behind with a heartbeat on its way never stands further back than before', async () => {
    topic = new Topic(1, 200)
    const it = comes()
    await it.joined
    const connection = it.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    for (let i = 0; i < 15; i++) topic.publish(0, [PLAIN])
    await turns(1)
    topic.hub.beat(connection)
    topic.publish(0, [PLAIN, PLAIN])
    connection.flow()
    await turns(10)
    expect([it.events, it.seen.length, it.lastId]).toEqual([[], 17, 'h'])
  })

  test('is dropped when Kafka cannot be read for long', async () => {
    topic = new Topic(1, 2, [30])
    topic.failures = 1_000
    const it = comes(EVERYTHING, [0])
    await it.joined
    expect(it.connection?.dropped).toBe('unavailable')
  })

  test('that comes when all is closed is told so', async () => {
    topic = new Topic(1, 2, [30])
    const [one, behind] = [comes(), comes(EVERYTHING, [0])]
    await one.joined
    topic.hub.close()
    const late = comes()
    await Promise.all([behind.joined, late.joined])
    expect([one, behind, late].map(({ connection }) => connection?.dropped)).toEqual(Array(3).fill('stopping'))
    expect(topic.hub.size).toBe(0)
  })
})

describe('many that come back at once', () => {
  test('are served by few readings, each with its own', async () => {
    const topic = new Topic(3, 10, [300, 300, 300])
    const clients = Array.from({ length: 200 }, (_, i) => new Client(topic.hub, EVERYTHING, [i, 300 - i, 250]))
    for (const it of clients) it.connect()
    await Promise.all(clients.map(({ joined }) => joined))
    for (const it of clients) expect(topic.byPartition(it.seen)).toEqual(topic.wanted(it.begin ?? [], it.filter))
    expect(topic.readings).toBeLessThanOrEqual(5)
    for (const it of clients) it.disconnect()
  })

  test('do not wait for one who reads nothing', async () => {
    const topic = new Topic(1, 10, [1_000])
    const [stuck, ...others] = Array.from({ length: 5 }, () => new Client(topic.hub, EVERYTHING, [0]))
    for (const it of [stuck as Client, ...others]) it.connect()
    const connection = stuck?.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    await Promise.all([stuck, ...others].map((it) => it?.joined))
    for (const it of others) expect(topic.byPartition(it.seen)).toEqual(topic.wanted([0], EVERYTHING))
    expect(connection.dropped).toBe('slow')
    for (const it of others) it.disconnect()
  })

  test('are not read for when they have gone', async () => {
    const topic = new Topic(1, 10, [10_000])
    const it = new Client(topic.hub, EVERYTHING, [0])
    it.connect()
    await turns(10)
    it.disconnect()
    await it.joined
    const { length } = it.seen
    await turns(20)
    expect(it.seen.length).toBe(length)
    expect(positionText(topic.hub.position())).toBe('7ps')
  })
})
