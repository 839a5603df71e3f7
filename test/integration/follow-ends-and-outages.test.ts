import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Kafka } from 'kafkajs'
import type { Services } from '../../local/services.ts'
import { follow } from '../../src/stream/follow.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { followClient, followUnderTest, hasSeen, names } from '../support/follow-under-test.ts'
import { freshServices, until } from '../support/services.ts'

/** How following ends, and what it makes of a broker that goes away, freezes and comes back. */
const ofTest = followUnderTest()
const { kafka, makeTopic, send, startFollowing } = ofTest

describe('following ends', () => {
  test('with the error of its callbacks, and calls them no more', async () => {
    await makeTopic(2)
    for (const partition of [0, 1]) await send(names(3), partition)
    let calls = 0
    const fail = () => {
      calls++
      throw new Error('cannot take this')
    }
    for (const callbacks of [{ take: fail }, { take: async () => fail() }, { onAnswer: fail }]) {
      calls = 0
      await expect(startFollowing(callbacks).ended).rejects.toThrow('cannot take this')
      await sleep(300)
      expect(calls).toBe(1)
    }
  })

  test('with what waiting cannot help', async () => {
    const one = startFollowing({ topic: 'no/topic' })
    await expect(one.ended).rejects.toMatchObject({ type: 'INVALID_TOPIC_EXCEPTION' })
  })

  test('at once when its signal aborts: before, in the middle, and while it takes', async () => {
    await makeTopic(1)
    await send(names(3))
    const signal = AbortSignal.abort()
    await follow({ kafka, topic: ofTest.topic, positions: new Map(), take: () => {}, signal })
    const hanging = startFollowing({ take: () => new Promise(() => {}) })
    const slow = { isDone: false }
    const taking = startFollowing({
      take: async () => {
        await sleep(300)
        slow.isDone = true
      },
    })
    const idle = startFollowing()
    await hasSeen(idle, 3)
    await sleep(100)
    for (const one of [idle, taking, hanging]) {
      const from = performance.now()
      await one.stop()
      await one.ended
      expect(performance.now() - from).toBeLessThan(1_000)
    }
    expect(slow.isDone).toBe(true)
  })
})

describe('over a broker of its own', () => {
  let services: Services
  let own: Kafka
  const sockets: Socket[] = []
  beforeAll(async () => {
    services = await freshServices()
    own = followClient([services.env.KAFKA_BROKERS], {
      socketFactory: ({ host, port, onConnect }) => {
        const socket = connect(port, host, onConnect)
        sockets.push(socket)
        return socket
      },
    })
  }, 180_000)
  afterAll(async () => services?.[Symbol.asyncDispose]())

  /** A producer that keeps sending until it has sent all, in order, and each record once. */
  async function withProducer(work: (send: (value: string) => Promise<unknown>) => Promise<void>): Promise<void> {
    const [itsAdmin, itsProducer] = [own.admin(), own.producer({ idempotent: true, maxInFlightRequests: 1 })]
    await Promise.all([itsAdmin.connect(), itsProducer.connect()])
    await createTopic(itsAdmin, ofTest.topic, 3)
    let partition = 0
    await work((value) => itsProducer.send({ topic: ofTest.topic, messages: [{ value, partition: partition++ % 3 }] }))
    await Promise.all([itsAdmin.disconnect(), itsProducer.disconnect()])
  }

  test.each(['stop', 'kill'] as const)(
    'a restart after a %s loses nothing and gives nothing twice',
    async (end) => {
      const values = names(300)
      const one = startFollowing({ kafka: own })
      await withProducer(async (sendOne) => {
        for (const value of values.slice(0, 150)) await sendOne(value)
        await hasSeen(one, 100)
        await services.kafka[end]()
        await until(() => one.failures.length >= 2, { timeoutMs: 15_000, what: 'it says that Kafka is away' })
        await services.kafka.start()
      })
      await withProducer(async (sendOne) => {
        for (const value of values.slice(150)) await sendOne(value)
      })
      await hasSeen(one, 300, 30_000)
      await sleep(1_000)
      expect(one.seen.map((seen) => seen.split(':')[2]).sort()).toEqual([...values].sort())
      expect(one.gaps).toEqual([])
    },
    120_000,
  )

  test('a broker that freezes and goes on loses nothing, for one that begins meanwhile either', async () => {
    const one = startFollowing({ kafka: own })
    await withProducer(async (sendOne) => {
      for (const value of names(30)) await sendOne(value)
      await hasSeen(one, 30)
      await services.kafka.pause()
      const late = startFollowing({ kafka: own })
      const both = [one, late]
      for (const { failures } of both) failures.length = 0
      await until(() => both.every(({ failures }) => failures.length > 0), {
        ...{ timeoutMs: 20_000, what: 'requests have timed out' },
      })
      await services.kafka.resume()
      for (const value of names(30, 30)) await sendOne(value)
      for (const each of both) {
        await hasSeen(each, 60, 30_000)
        expect(each.seen.map((seen) => seen.split(':')[2]).sort()).toEqual(names(60).sort())
      }
    })
  }, 120_000)

  test.each(['pause', 'kill'] as const)(
    'its end comes within a second also after a %s, and leaves no socket',
    async (how) => {
      await withProducer(async () => {})
      sockets.length = 0
      const one = startFollowing({ kafka: own })
      await until(() => one.ends.size === 3, { timeoutMs: 10_000, what: 'it follows' })
      await services.kafka[how]()
      const early = startFollowing({ kafka: own, topic: `${ofTest.topic}-x` }) // which never was connected
      await sleep(2_000)
      for (const { stop } of [early, one]) {
        const from = performance.now()
        await stop()
        expect(performance.now() - from).toBeLessThan(1_000)
      }
      await one.ended
      await sleep(50)
      expect(sockets.length).toBeGreaterThan(0)
      expect(sockets.filter(({ destroyed }) => !destroyed)).toEqual([])
      await (how === 'pause' ? services.kafka.resume() : services.kafka.start())
    },
    120_000,
  )
})
