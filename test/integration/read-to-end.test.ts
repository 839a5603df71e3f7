import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Admin, Kafka, KafkaConfig, Message, Producer } from 'kafkajs'
import type { Services } from '../../local/services.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { type ReadToEndOptions, readToEnd } from '../../src/stream/read-to-end.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { freshServices, sharedServices, until } from '../support/services.ts'

const clientOf = (brokers: string[], more: Partial<KafkaConfig> = {}) =>
  new kafkajs.Kafka({
    ...{ brokers, clientId: 'read-to-end-test', logLevel: kafkajs.logLevel.NOTHING },
    ...{ retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 } },
    ...more,
  })

const kafka = clientOf(sharedServices().brokers)
let admin: Admin
let producer: Producer
let topic: string

beforeAll(async () => {
  admin = kafka.admin()
  producer = kafka.producer()
  await Promise.all([admin.connect(), producer.connect()])
})
afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]))
beforeEach(() => {
  topic = `read-to-end-${randomUUID()}`
})

const names = (count: number, start = 0) => Array.from({ length: count }, (_, i) => `r${start + i}`)
const messagesOf = (values: string[], partition = 0): Message[] =>
  values.map((value) => ({ key: value, value, partition, headers: { name: value } }))
const send = (values: string[], partition = 0) => producer.send({ topic, messages: messagesOf(values, partition) })

/** What a reading brought, as `partition:offset:value`, in the order it came. */
async function read(options: Partial<ReadToEndOptions> = {}): Promise<{ ends: Map<number, bigint>; values: string[] }> {
  const values: string[] = []
  const ends = await readToEnd({
    ...{ kafka, topic },
    onMessages: (_, messages) => {
      for (const { value } of messages) values.push(String(value))
    },
    ...options,
  })
  return { ends, values }
}

/** Kilobytes of a record, so that a topic is more than a few fetches hold. */
const LARGE = 100
const large = (count: number) => names(count).map((name) => name.padEnd(LARGE * 1024, '.'))
async function sendLarge(count: number, to: Producer = producer): Promise<void> {
  for (const value of large(count)) await to.send({ topic, messages: [{ key: 'k', value, partition: 0 }] })
}
const GZIP = 1
const nameOf = (value: Buffer | null) => String(value).split('.')[0] as string

/** Another writer, whose transactions end as they should. */
async function transact(id: string, end: 'commit' | 'abort' | 'open', messages: Message[]): Promise<Producer> {
  const other = kafka.producer({ transactionalId: `${topic}-${id}`, maxInFlightRequests: 1 })
  await other.connect()
  const transaction = await other.transaction()
  await transaction.send({ topic, messages })
  if (end !== 'open') await transaction[end]()
  if (end !== 'open') await other.disconnect()
  return other
}

/** A commit is answered before its marker is in the log. */
const endsAt = (offset: number) =>
  until(async () => (await admin.fetchTopicOffsets(topic))[0]?.high === String(offset), {
    ...{ timeoutMs: 10_000, what: `${topic} ends at ${offset}` },
  })

describe('reading to the end', () => {
  test('gives every record once, in offset order, with its end offsets and what is left', async () => {
    await createTopic(admin, topic, 3)
    await send(names(100), 0)
    await send(names(50, 100), 2)
    const seen: [number, string, string][] = []
    const left: bigint[] = []
    const ends = await readToEnd({
      ...{ kafka, topic },
      onMessages: (partition, messages) => {
        for (const { offset, value, headers } of messages) {
          expect(String(headers?.name)).toBe(String(value))
          seen.push([partition, offset, String(value)])
        }
      },
      onProgress: (now) => left.push(now),
    })
    expect(ends).toEqual(new Map([[0, 100n], [1, 0n], [2, 50n]])) // biome-ignore format: a table
    const wanted = [
      ...names(100).map((name, i) => [0, `${i}`, name]),
      ...names(50, 100).map((name, i) => [2, `${i}`, name]),
    ]
    expect(seen.sort(([a], [b]) => a - b)).toEqual(wanted)
    expect(left.at(-1)).toBe(0n)
  })

  test('of an empty topic gives nothing', async () => {
    await createTopic(admin, topic, 2)
    expect(await read()).toEqual({ ends: new Map([[0, 0n], [1, 0n]]), values: [] }) // biome-ignore format: a table
  })

  test('begins where it is told, on the partitions that it is told', async () => {
    await createTopic(admin, topic, 2)
    await send(names(10), 0)
    await send(names(10, 50), 1)
    const from = new Map([[1, 7n]])
    expect(await read({ partitions: [1], from })).toEqual({ ends: new Map([[1, 10n]]), values: names(3, 57) })
    expect((await read({ partitions: [1], from: new Map([[1, 10n]]) })).values).toEqual([])
    expect((await read({ partitions: [1], from: new Map([[1, 99n]]) })).values).toEqual([])
  })

  test('stops at the end that there was at the call, within a batch too', async () => {
    await createTopic(admin, topic, 1)
    await sendLarge(60)
    const seen: string[] = []
    const ends = await readToEnd({
      ...{ kafka, topic },
      onMessages: async (_, messages) => {
        if (seen.length === 0) await send(names(5, 100))
        for (const { value } of messages) seen.push(nameOf(value))
      },
    })
    expect(ends).toEqual(new Map([[0, 60n]]))
    expect(seen).toEqual(names(60))
  })

  test('leaves headers out when they are not wanted', async () => {
    await createTopic(admin, topic, 1)
    await send(names(1))
    const seen: unknown[] = []
    await readToEnd({ ...{ kafka, topic, headers: false }, onMessages: (_, messages) => void seen.push(...messages) })
    expect(seen).toEqual([
      { attributes: 0, key: Buffer.from('r0'), offset: '0', timestamp: expect.any(String), value: Buffer.from('r0') },
    ])
  })

  test('reads gzip', async () => {
    await createTopic(admin, topic, 1)
    await producer.send({ topic, compression: GZIP, messages: messagesOf(names(200)) })
    expect((await read({ from: new Map([[0, 150n]]) })).values).toEqual(names(50, 150))
  })

  test('by twenty at once gives each of them everything', async () => {
    await createTopic(admin, topic, 4)
    for (const partition of [0, 1, 2, 3]) await send(names(25, partition * 25), partition)
    const readings = await Promise.all(Array.from({ length: 20 }, () => read()))
    for (const { values } of readings) expect(values.sort()).toEqual(names(100).sort())
  })
})

describe('reading what is committed', () => {
  const ABORT_KEY = Buffer.from([0, 0, 0, 0])

  test('passes transaction markers at the end', async () => {
    await createTopic(admin, topic, 1)
    await transact('a', 'commit', messagesOf(names(3)))
    await endsAt(4)
    expect(await read()).toEqual({ ends: new Map([[0, 4n]]), values: names(3) })
  })

  test('passes aborted records at the end, also after a record whose key looks like an abort marker', async () => {
    await createTopic(admin, topic, 1)
    await transact('a', 'commit', messagesOf(names(2)))
    await transact('a', 'abort', [{ key: ABORT_KEY, value: 'no', partition: 0 }, ...messagesOf(['no', 'never'])])
    await endsAt(7)
    expect(await read()).toEqual({ ends: new Map([[0, 7n]]), values: names(2) })
    expect((await read({ from: new Map([[0, 5n]]) })).values).toEqual([])
  })

  test('holds the transactions of several writers apart', async () => {
    await createTopic(admin, topic, 1)
    const open = await transact('a', 'open', messagesOf(['aborted 1']))
    const ends = await transact('b', 'commit', messagesOf(['committed']))
    await transact('a', 'abort', messagesOf(['aborted 2'])) // fences the one before, whose transaction aborts
    await transact('a', 'commit', messagesOf(['committed too']))
    await Promise.all([open.disconnect(), ends.disconnect()])
    await endsAt(8)
    expect((await read()).values).toEqual(['committed', 'committed too'])
  })

  test('stops at the last stable offset while a transaction is open', async () => {
    await createTopic(admin, topic, 1)
    await send(names(2))
    const open = await transact('a', 'open', messagesOf(['undecided']))
    await send(names(2, 2))
    expect(await read()).toEqual({ ends: new Map([[0, 2n]]), values: names(2) })
    await open.disconnect()
  })

  test('waits until the end has reached what it is told', async () => {
    await createTopic(admin, topic, 1)
    await send(names(2))
    const reading = read({ atLeast: new Map([[0, 3n]]) })
    expect((await read()).values).toEqual(names(2)) // over the same connection, so the other has asked as well
    await send(names(1, 2))
    expect((await reading).values).toEqual(names(3))
  })
})

describe('a log that is no longer whole', () => {
  const compact = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.001', 'segment.bytes': '1048576' }

  test('is read past what was compacted away, whole batches and the last of a writer among it', async () => {
    await createTopic(admin, topic, 1, { ...compact, 'max.compaction.lag.ms': '100', 'delete.retention.ms': '0' })
    await transact('a', 'commit', [{ key: 'gone', value: 'gone', partition: 0 }])
    for (let i = 0; i < 22; i++) {
      const value = `r${i}`.padEnd(LARGE * 1024, '.')
      await transact(`w${i % 3}`, i % 4 === 3 ? 'abort' : 'commit', [{ key: 'gone', value, partition: 0 }])
    }
    const first = () => read().then(({ values }) => values[0] !== 'gone' && values)
    await until(first, { timeoutMs: 60_000, what: 'it is compacted', everyMs: 500 })
    const { values, ends } = await read()
    expect(ends).toEqual(new Map([[0, 46n]]))
    expect(values.length).toBeLessThan(17)
    expect(values.at(-1)?.startsWith('r21.')).toBe(true)
    const all = new Set(values)
    for (let from = 0n; from < 46n; from++) {
      for (const value of (await read({ from: new Map([[0, from]]) })).values) expect(all.has(value)).toBe(true)
    }
  }, 90_000)

  test('is read from where it begins by now', async () => {
    await createTopic(admin, topic, 1)
    await send(names(10))
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
    expect((await read()).values).toEqual(names(4, 6))
    expect((await read({ from: new Map([[0, 2n]]) })).values).toEqual(names(4, 6))
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '10' }] })
    expect(await read()).toEqual({ ends: new Map([[0, 10n]]), values: [] })
  })

  test('may lose its head while it is read', async () => {
    await createTopic(admin, topic, 1)
    await sendLarge(250)
    const seen: string[] = []
    await readToEnd({
      ...{ kafka, topic },
      onMessages: async (_, messages) => {
        if (seen.length === 0) {
          await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '240' }] })
        }
        for (const { value } of messages) seen.push(nameOf(value))
      },
    })
    expect(seen.length).toBeLessThan(200)
    expect(seen.slice(-10)).toEqual(names(10, 240))
    expect(seen).toEqual([...new Set(seen)])
  }, 60_000)

  test('and is made anew while it is read, ends the reading with an error', async () => {
    await createTopic(admin, topic, 1)
    await sendLarge(150)
    const reading = readToEnd({
      ...{ kafka, topic },
      onMessages: async () => {
        await admin.deleteTopics({ topics: [topic] })
        await until(() => createTopic(admin, topic, 1).then(() => true), { timeoutMs: 10_000, what: 'it is made anew' })
      },
    })
    await expect(reading).rejects.toThrow(/\/0 gives nothing from offset \d+ on, though it ended at 150: .*made anew/)
  }, 60_000)

  test('or never was there, is an error', async () => {
    await createTopic(admin, topic, 1)
    const [missing, unknown] = [read({ topic: `${topic}-x` }), read({ partitions: [5] })]
    await expect(missing).rejects.toThrow(/read-to-end-.*-x is not there: /)
    await expect(unknown).rejects.toThrow(/\/5 does not tell its end: no broker knows /)
  }, 60_000)
})

describe('a reading ends', () => {
  test('at once when its signal aborts, before and in the middle', async () => {
    await createTopic(admin, topic, 1)
    await sendLarge(100)
    await expect(read({ signal: AbortSignal.abort(new Error('not even begun')) })).rejects.toThrow('not even begun')
    const ending = new AbortController()
    let calls = 0
    const reading = readToEnd({
      ...{ kafka, topic, signal: ending.signal },
      onMessages: () => {
        calls++
        ending.abort(new Error('enough'))
        return new Promise(() => {}) // a handler that never comes back
      },
    })
    await expect(reading).rejects.toThrow('enough')
    expect(calls).toBe(1)
  })

  test('with the error of its handler, and calls it no more', async () => {
    await createTopic(admin, topic, 2)
    await send(names(3), 0)
    await send(names(3), 1)
    let calls = 0
    const onMessages = () => {
      calls++
      throw new Error('cannot take this')
    }
    await expect(read({ onMessages })).rejects.toThrow('cannot take this')
    await expect(read({ onMessages: async () => onMessages() })).rejects.toThrow('cannot take this')
    expect(calls).toBeLessThanOrEqual(4)
  })
})

describe('a reading goes on', () => {
  test('over connections that break in the middle of an answer', async () => {
    await createTopic(admin, topic, 1)
    await sendLarge(150)
    let cuts = 5
    const socketFactory: KafkaConfig['socketFactory'] = ({ host, port, onConnect }) => {
      const socket = connect(port, host, onConnect)
      let bytes = 0
      socket.on('data', (data) => {
        bytes += data.length
        if (bytes > 3_000_000 && cuts-- > 0) socket.destroy(new Error('cut by the test'))
      })
      return socket
    }
    const cutting = clientOf(sharedServices().brokers, { socketFactory, requestTimeout: 5_000 })
    const seen: string[] = []
    await readToEnd({
      ...{ kafka: cutting, topic },
      onMessages: (_, messages) => {
        for (const { value } of messages) seen.push(nameOf(value))
      },
    })
    expect(cuts).toBeLessThan(0)
    expect(seen).toEqual(names(150))
  }, 60_000)

  describe('over', () => {
    let services: Services
    let own: Kafka
    beforeAll(async () => {
      services = await freshServices()
      own = clientOf([services.env.KAFKA_BROKERS])
    }, 180_000)
    afterAll(async () => services?.[Symbol.asyncDispose]())

    async function fill(count: number): Promise<void> {
      const [itsAdmin, itsProducer] = [own.admin(), own.producer()]
      await Promise.all([itsAdmin.connect(), itsProducer.connect()])
      await createTopic(itsAdmin, topic, 1)
      await sendLarge(count, itsProducer)
      await Promise.all([itsAdmin.disconnect(), itsProducer.disconnect()])
    }

    test('a broker that is killed and comes back in the middle', async () => {
      await fill(200)
      const seen: string[] = []
      await readToEnd({
        ...{ kafka: own, topic },
        onMessages: async (_, messages) => {
          if (seen.length === 0) {
            await services.kafka.kill()
            void services.kafka.start()
          }
          for (const { value } of messages) seen.push(nameOf(value))
        },
      })
      expect(seen).toEqual(names(200))
    }, 120_000)

    test('a leader that is not there at the beginning', async () => {
      await fill(3)
      await services.kafka.kill()
      const reading = read({ kafka: own })
      await services.kafka.start()
      expect((await reading).values.map((value) => value.split('.')[0])).toEqual(names(3))
    }, 120_000)
  })
})
