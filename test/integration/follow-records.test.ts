import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import type { Producer } from 'kafkajs'
import type { FollowOptions } from '../../src/stream/follow.ts'
import { type Followed, followUnderTest, hasSeen, isAt, messagesOf, names } from '../support/follow-under-test.ts'
import { until } from '../support/services.ts'

/** Which records following a topic gives, from where, in which order and how soon. */
const ofTest = followUnderTest()
const { kafka, admin, producer, makeTopic, send, startFollowing } = ofTest

describe('following', () => {
  test('gives new records of twelve partitions within a second, in offset order', async () => {
    await makeTopic(12)
    const one = startFollowing()
    await until(() => one.ends.size === 12, { timeoutMs: 10_000, what: 'it follows all partitions' })
    for (let round = 0; round < 3; round++) {
      const sentAt = performance.now()
      const messages = Array.from({ length: 12 }, (_, partition) => messagesOf(names(5, round * 5), partition)).flat()
      await producer.send({ topic: ofTest.topic, messages })
      await hasSeen(one, (round + 1) * 60)
      expect(performance.now() - sentAt).toBeLessThan(1_000)
      await sleep(300) // longer than a broker waits for records
    }
    for (let partition = 0; partition < 12; partition++) {
      const own = one.seen.filter((seen) => seen.startsWith(`${partition}:`))
      expect(own).toEqual(names(15).map((name, i) => `${partition}:${i}:${name}`))
      expect(one.positions.get(partition)).toBe(15n)
    }
    await until(() => one.ends.get(11) === 15n, { timeoutMs: 5_000, what: 'the ends are told' })
    expect(one.failures).toEqual([])
  })

  test('begins where it is told, and at the beginning where it is not', async () => {
    await makeTopic(3)
    for (const partition of [0, 1, 2]) await send(names(10), partition)
    const positions = new Map([[0, 7n], [2, 10n]]) // biome-ignore format: a table
    const one = startFollowing({ positions })
    await hasSeen(one, 13)
    await send(['new'], 2)
    await hasSeen(one, 14)
    expect(one.seen.filter((seen) => !seen.startsWith('1:')).sort()).toEqual(['0:7:r7', '0:8:r8', '0:9:r9', '2:10:new'])
    expect(one.seen.filter((seen) => seen.startsWith('1:'))).toEqual(names(10).map((name, i) => `1:${i}:${name}`))
    expect(one.gaps).toEqual([])
  })

  test('brings headers, or leaves them out', async () => {
    await makeTopic(1)
    await send(['r0'])
    const headers: unknown[] = []
    const take: FollowOptions['take'] = (_, messages) => {
      for (const message of messages) headers.push(message.headers?.name?.toString())
    }
    startFollowing({ take })
    startFollowing({ take, headers: false })
    await until(() => headers.length === 2, { timeoutMs: 10_000, what: 'both have it' })
    expect(headers.sort()).toEqual(['r0', undefined])
  })

  test('by two at once gives each of them everything', async () => {
    await makeTopic(3)
    const both = [startFollowing(), startFollowing()]
    for (const partition of [0, 1, 2]) await send(names(20), partition)
    for (const one of both) {
      await hasSeen(one, 60)
      expect(new Set(one.seen).size).toBe(60)
    }
    await (both[0] as Followed).stop()
    await send(['more'])
    await hasSeen(both[1] as Followed, 61)
    expect((both[0] as Followed).seen.length).toBe(60)
  })

  test('waits for a topic that is not there yet, and finds partitions that are added', async () => {
    const one = startFollowing()
    await until(() => one.failures.length >= 2, { timeoutMs: 10_000, what: 'it says that it waits' })
    expect((one.failures[0] as Error & { type: string }).type).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await makeTopic(1)
    await send(['first'])
    await hasSeen(one, 1)
    await admin.createPartitions({ topicPartitions: [{ topic: ofTest.topic, count: 2 }] })
    const late = kafka.producer() // the other one does not know the new partition
    await late.connect()
    await until(() => late.send({ topic: ofTest.topic, messages: messagesOf(['second'], 1) }), {
      ...{ timeoutMs: 10_000, what: 'the new partition takes records' },
    })
    await late.disconnect()
    await hasSeen(one, 2, 30_000)
    expect(one.seen).toEqual(['0:0:first', '1:0:second'])
  })
})

async function transact(id: string, end: 'commit' | 'abort' | 'open', values: string[]): Promise<Producer> {
  const other = kafka.producer({ transactionalId: `${ofTest.topic}-${id}`, maxInFlightRequests: 1 })
  await other.connect()
  const transaction = await other.transaction()
  await transaction.send({ topic: ofTest.topic, messages: messagesOf(values) })
  if (end !== 'open') await transaction[end]()
  if (end !== 'open') await other.disconnect()
  return other
}

describe('of transactions', () => {
  test('aborted ones are never seen, and the position passes them and all markers', async () => {
    await makeTopic(1)
    const one = startFollowing()
    await transact('a', 'commit', ['a', 'b'])
    await transact('a', 'abort', ['never', 'this'])
    await isAt(one, 0, 6n)
    expect(one.seen).toEqual(['0:0:a', '0:1:b'])
    await transact('a', 'commit', ['c'])
    await isAt(one, 0, 8n)
    expect(one.seen).toEqual(['0:0:a', '0:1:b', '0:6:c'])
  })

  test('an open one holds up what comes after it, until it is decided', async () => {
    await makeTopic(1)
    const one = startFollowing()
    const open = await transact('a', 'open', ['undecided'])
    await send(['after'])
    await until(() => one.ends.has(0), { timeoutMs: 10_000, what: 'it follows' })
    await sleep(700)
    expect([one.seen, one.ends.get(0)]).toEqual([[], 0n])
    await transact('a', 'commit', ['decided']) // fences the one before, whose transaction aborts
    await open.disconnect()
    await hasSeen(one, 2)
    expect(one.seen.map((seen) => seen.split(':')[2])).toEqual(['after', 'decided'])
  })

  test('a position within a batch is kept to', async () => {
    await makeTopic(1)
    await transact('a', 'commit', names(5))
    const one = startFollowing({ positions: new Map([[0, 3n]]) })
    await isAt(one, 0, 6n)
    expect(one.seen).toEqual(['0:3:r3', '0:4:r4'])
  })
})

describe('a position that the log does not have', () => {
  test('before its start goes on at its start', async () => {
    await makeTopic(2)
    for (const partition of [0, 1]) await send(names(10), partition)
    const cut = [0, 1].map((partition) => ({ partition, offset: '6' }))
    await admin.deleteTopicRecords({ topic: ofTest.topic, partitions: cut })
    const one = startFollowing({ positions: new Map([[0, 2n]]) })
    await hasSeen(one, 8)
    expect(one.gaps).toEqual(['0: 2 → 6']) // partition 1 was to begin at its beginning
    expect(one.seen.sort()).toEqual([0, 1].flatMap((p) => names(4, 6).map((name, i) => `${p}:${6 + i}:${name}`)))
  })

  test('beyond its end goes on at its end, after a while', async () => {
    await makeTopic(2)
    await send(names(3))
    const positions = new Map([[0, 50n], [1, 0n]]) // biome-ignore format: a table
    const nexts: string[] = []
    const one = startFollowing({
      positions,
      take: (partition, messages, next) => void nexts.push(`${partition}: ${messages.length} → ${next}`),
    })
    await send(['meanwhile'], 1)
    await until(() => nexts.length === 1, { timeoutMs: 3_000, what: 'the other partition goes on' })
    expect(one.gaps).toEqual([])
    await until(() => one.gaps.length > 0, { timeoutMs: 15_000, what: 'the gap is told' })
    expect(one.gaps).toEqual(['0: 50 → 3'])
    await send(['on'])
    await isAt(one, 0, 4n)
    expect(nexts).toEqual(['1: 1 → 1', '0: 0 → 3', '0: 1 → 4'])
  })

  test('since the topic was made anew goes on at its end', async () => {
    await makeTopic(1)
    await send(names(5))
    const one = startFollowing()
    await hasSeen(one, 5)
    await admin.deleteTopics({ topics: [ofTest.topic] })
    await until(() => makeTopic(1).then(() => true), { timeoutMs: 10_000, what: 'it is made anew' })
    await until(() => one.gaps.length > 0, { timeoutMs: 30_000, what: 'the gap is told' })
    await until(() => send(['anew']), { timeoutMs: 10_000, what: 'it takes records' })
    await hasSeen(one, 6)
    expect([one.gaps, one.seen.at(-1)]).toEqual([['0: 5 → 0'], '0:0:anew'])
  })
})

describe('a burst', () => {
  test('on one partition does not hold up another', async () => {
    await makeTopic(2)
    const burst = messagesOf(Array.from({ length: 10_000 }, (_, i) => `burst ${i}`))
    for (let i = 0; i < 20; i++) await producer.send({ topic: ofTest.topic, messages: burst })
    let taken = 0
    let [sentAt, delayMs, takenThen] = [0, 0, 0]
    startFollowing({
      take: async (partition, messages) => {
        if (partition === 1) {
          delayMs = performance.now() - sentAt
          takenThen = taken
          return
        }
        if (taken === 0) {
          await send(['quick'], 1)
          sentAt = performance.now()
        }
        taken += messages.length
        await sleep(20) // a slow one
      },
    })
    await until(() => taken === 200_000, { timeoutMs: 60_000, what: 'all of it is taken' })
    expect(delayMs).toBeGreaterThan(0)
    expect(delayMs).toBeLessThan(1_000)
    expect(takenThen).toBeLessThan(100_000)
  }, 90_000)

  test('on all partitions is shared among them', async () => {
    await makeTopic(12)
    const value = 'x'.repeat(10_000)
    for (let partition = 0; partition < 12; partition++) {
      const messages = Array.from({ length: 80 }, () => ({ value, partition }))
      for (let i = 0; i < 3; i++) await producer.send({ topic: ofTest.topic, messages })
    }
    const taken = new Map<number, number>()
    let most = 0
    startFollowing({
      take: (partition, messages) => {
        taken.set(partition, (taken.get(partition) ?? 0) + messages.length)
        if (taken.size === 12) return
        most = Math.max(most, ...taken.values())
      },
    })
    const sum = () => [...taken.values()].reduce((a, b) => a + b, 0)
    await until(() => sum() === 12 * 240, { timeoutMs: 30_000, what: 'all of it is taken' })
    expect(most).toBeLessThan(240) // no partition had all of its own before another had any
  }, 60_000)
})
