import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { until } from '../../../local/until.ts'
import type { Fetcher, Wanted } from '../../../src/stream/fetch.ts'
import { decodeFetch } from '../../../src/stream/fetch-answer.ts'
import type { FollowOptions } from '../../../src/stream/follow.ts'
import { type Following, readLeader } from '../../../src/stream/follow-leader.ts'
import { answerOf, batch, type PartitionParts } from '../../support/fetch-answer.ts'

const VERSION = 11
const NOT_LEADER = 6
const FORBIDDEN = 29

let stop: AbortController
let positions: Map<number, bigint>
let taken: string[]
let told: string[]
let asked: { node: number; wanted: Wanted[]; maxBytes: number }[]
let askedForLeaders: number

beforeEach(() => {
  stop = new AbortController()
  positions = new Map()
  taken = []
  told = []
  asked = []
  askedForLeaders = 0
})
afterEach(() => stop.abort())

type Answers = (node: number, wanted: Wanted[]) => Promise<PartitionParts[]> | PartitionParts[]

/** What follows partitions, each led by the node that `leaders` names, where brokers answer like this. */
function followingOf(leaders: Record<number, number>, answers: Answers, more: Partial<FollowOptions> = {}): Following {
  const fetchFrom: Fetcher['fetchFrom'] = async (node, wanted, maxBytes) => {
    asked.push({ node, wanted, maxBytes })
    return decodeFetch(answerOf(VERSION, 0, await answers(node, wanted)), VERSION).partitions
  }
  const options = {
    ...{ topic: 't', positions, signal: stop.signal },
    take: (partition, messages, next) => {
      taken.push(`${partition}: ${messages.map(({ offset }) => offset)} → ${next}`)
    },
    onFailure: ({ message }) => told.push(message),
    ...more,
  } as FollowOptions
  return {
    ...{ options, signal: stop.signal, fetcher: { fetchFrom } as Fetcher },
    fail: (error) => stop.abort(error),
    askForLeaders: () => void askedForLeaders++,
    ...{ loops: new Map(), resting: new Map(), taking: new Set() },
    leaders: new Map(Object.entries(leaders).map(([partition, node]) => [Number(partition), node])),
  }
}

const waitFor = (condition: () => boolean, what: string) => until(condition, { timeoutMs: 5_000, what, everyMs: 5 })
const records = (base: number, count: number) =>
  batch({ base, last: base + count - 1, records: Array.from({ length: count }, (_, i) => base + i) })

/** A log of three records in each partition; a broker waits a little where there is nothing. */
const ofThree: Answers = async (_, wanted) => {
  if (wanted.every(({ offset }) => offset >= 3n)) await new Promise((resolve) => setTimeout(resolve, 60))
  return wanted.map(({ partition, offset }) => ({ partition, batches: offset < 3n ? [records(0, 3)] : [] }))
}

describe('what reads from a leader', () => {
  test('asks for all that it leads in one request, each time beginning with another', async () => {
    const following = followingOf({ 0: 7, 1: 8, 2: 7, 3: 7 }, ofThree)
    void readLeader(following, 7)
    await waitFor(() => asked.length >= 3, 'it has asked three times')
    const orders = asked.slice(0, 3).map(({ wanted }) => wanted.map(({ partition }) => partition))
    expect(orders).toEqual([[0, 2, 3], [2, 3, 0], [3, 0, 2]]) // biome-ignore format: a table
    expect(taken).toEqual(['0: 0,1,2 → 3', '2: 0,1,2 → 3', '3: 0,1,2 → 3'])
  })

  test('ends when it leads nothing any more', async () => {
    const following = followingOf({ 0: 7 }, ofThree)
    const reading = readLeader(following, 7)
    following.loops.set(7, reading)
    await waitFor(() => taken.length === 1, 'it has taken')
    following.leaders = new Map([[0, 8]])
    await reading
    expect(following.loops.size).toBe(0)
  })

  test('does not ask again before all of an answer is taken', async () => {
    let release = () => {}
    const take = () =>
      new Promise<void>((resolve) => {
        release = resolve
      })
    void readLeader(followingOf({ 0: 7, 1: 7 }, ofThree, { take }), 7)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([asked.length, [...positions]]).toEqual([1, []])
    release()
    await waitFor(() => positions.get(0) === 3n, 'the first is taken')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(asked.length).toBe(1)
    release()
    await waitFor(() => asked.length === 2, 'it asks again')
  })

  test('drops what another leader of the partition was quicker to bring', async () => {
    let answerLate = () => {}
    const late = new Promise<void>((resolve) => {
      answerLate = resolve
    })
    const following = followingOf({ 0: 7 }, async (node, wanted) => {
      if (node === 7) await late // it froze
      return ofThree(node, wanted)
    })
    const old = readLeader(following, 7)
    following.leaders = new Map([[0, 8]])
    void readLeader(following, 8)
    await waitFor(() => taken.length === 1, 'the new leader has brought it')
    answerLate()
    await old
    expect(taken).toEqual(['0: 0,1,2 → 3'])
  })

  test('does not ask for what the take of another still has in hand', async () => {
    const following = followingOf({ 0: 8 }, ofThree)
    following.taking.add(0)
    void readLeader(following, 8)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(asked).toEqual([])
    following.taking.delete(0)
    await waitFor(() => taken.length === 1, 'it is taken')
  })

  test('asks for less after a failure, and for more again', async () => {
    let failures = 2
    const following = followingOf({ 0: 7 }, (node, wanted) => {
      if (failures-- > 0) throw new Error('timed out')
      return ofThree(node, wanted)
    })
    void readLeader(following, 7)
    await waitFor(() => asked.length >= 5, 'it goes on')
    const [all, ...rest] = asked.map(({ maxBytes }) => maxBytes) as [number, ...number[]]
    expect(rest.slice(0, 4)).toEqual([all / 4, all / 16, all / 8, all / 4])
    expect([told, askedForLeaders]).toEqual([['timed out', 'timed out'], 2])
  })
})

describe('a partition with an error', () => {
  test('is asked for again with the leaders learnt anew, and told when that does not help', async () => {
    let errors = 2
    const following = followingOf({ 0: 7, 1: 7 }, async (node, wanted) => {
      const parts = await ofThree(node, wanted)
      return parts.map((one) => (one.partition === 1 && errors-- > 0 ? { partition: 1, errorCode: NOT_LEADER } : one))
    })
    void readLeader(following, 7)
    await waitFor(() => taken.length === 2, 'both are taken')
    expect(taken).toEqual(['0: 0,1,2 → 3', '1: 0,1,2 → 3'])
    expect(askedForLeaders).toBe(2)
    expect(told).toEqual([expect.stringMatching(/^t\/1 gives nothing from offset 0 on: .*not the leader/)])
  })

  test('that nothing mends ends all', async () => {
    const following = followingOf({ 0: 7 }, () => [{ partition: 0, errorCode: FORBIDDEN }])
    await expect(readLeader(following, 7)).rejects.toThrow(
      /^t\/0 gives nothing from offset 0 on: .* not let our user Read topic t\. /,
    )
  })

  test('in a batch gives what stands before it, and holds up no other', async () => {
    const bad = records(2, 2)
    bad[61] = 0xff // the length of its first record
    const whole: Answers = (_, wanted) =>
      wanted.map(({ partition, offset }) => {
        const batches = [records(0, 2), partition === 0 ? bad : records(2, 2)]
        return { partition, batches: batches.slice(Number(offset) / 2) }
      })
    void readLeader(followingOf({ 0: 7, 1: 7 }, whole), 7)
    await waitFor(() => told.length > 0, 'it is told')
    expect(taken).toEqual(['0: 0,1 → 2', '1: 0,1,2,3 → 4'])
    expect(told[0]).toMatch(/^t\/0 gives nothing from offset 2 on: /)
  })
})
