import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Admin } from 'kafkajs'
import { pino } from 'pino'
import type { Observation } from '../../src/contract/observation.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { createDecoder } from '../../src/decode/decoder.ts'
import { createStatusCodec } from '../../src/status/codec.ts'
import { openHeadsInMemory } from '../../src/status/heads/memory.ts'
import { headsOpener } from '../../src/status/heads/open.ts'
import { FencedError, Lane, type LaneOptions } from '../../src/status/lane.ts'
import { CorruptStatusError } from '../../src/status/restore.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { partitionOf } from '../../src/stream/partitions.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { newStatusTopic } from '../support/new-topic.ts'
import { sharedServices, until } from '../support/services.ts'

const { Kafka, logLevel } = kafkajs
const kafka = new Kafka({ brokers: sharedServices().brokers, clientId: 'lane-test', logLevel: logLevel.NOTHING })
const never = new AbortController().signal
let admin: Admin
let topic: string
let options: LaneOptions

beforeAll(async () => {
  admin = kafka.admin()
  await admin.connect()
})
afterAll(() => admin.disconnect())

beforeEach(async () => {
  topic = `lane-test-${randomUUID()}`
  await newStatusTopic(admin, topic, 2)
  const codec = await createStatusCodec(null, topic, createDecoder(null))
  const log = pino({ level: 'silent' })
  options = { kafka, codec, log, topic, partitions: 2, retentionMs: 90 * 86_400_000, ...quiet }
})
const quiet = {
  openHeads: openHeadsInMemory as LaneOptions['openHeads'],
  newestSeen: async () => 0,
  restoring: <T>(work: () => Promise<T>) => work(),
  onState: () => {},
  onProgress: () => {},
  onRestored: () => {},
}

/** A key that belongs on partition 0. */
const KEY = ['a', 'b', 'c', 'd'].find((key) => partitionOf(key, 2) === 0) as string
const START = Date.now() - 3_600_000

const observation = (event_id: string, status: string, minute: number, key = KEY): Observation => ({
  ...{ key, kind: 'session', status, at: START + minute * 60_000, event_id, session_id: key, card: null, zone_id: 'Z' },
  ...{ event_type: null, http_status: 200, ends_at: null, source: { topic: 'events', partition: 0, offset: '7' } },
})

/** Publishes what Kafka has from just now. */
const publish = (lane: Lane, observations: Observation[]) => lane.publish(observations, Date.now())

const stateDir = mkdtempSync(join(tmpdir(), 'lane-test-'))
afterAll(() => rmSync(stateDir, { recursive: true }))
const onDisk = () => headsOpener(stateDir, topic, options.log)

/** At least `count` updates: a commit is answered before its marker is in the log, and only then can they be read. */
async function committed(count: number): Promise<StatusUpdate[]> {
  let updates: StatusUpdate[] = []
  const enough = async () => {
    updates = await readCommitted()
    return updates.length >= count
  }
  await until(enough, { timeoutMs: 10_000, what: `${count} updates are committed` })
  return updates
}

async function readCommitted(): Promise<StatusUpdate[]> {
  const updates: StatusUpdate[] = []
  await readToEnd({
    ...{ kafka, topic },
    onMessages: (_, messages) => {
      for (const { value } of messages) updates.push(JSON.parse(String(value)))
    },
  })
  return updates
}

describe.each(['in memory', 'on disk'])('a lane with its heads %s', (where) => {
  beforeEach(() => {
    options = { ...options, openHeads: where === 'on disk' ? onDisk() : openHeadsInMemory }
  })

  test('goes on where the topic ends: the next lane restores its heads and counts on', async () => {
    const first = await Lane.open(0, options, never)
    await publish(first, [observation('e1', 'on-going', 0), observation('e2', 'finished', 5)])
    await first.close()
    const second = await Lane.open(0, options, never)
    await publish(second, [
      observation('e1', 'on-going', 0),
      observation('e2', 'finished', 5),
      observation('e3', 'expired', 6),
    ])
    await second.close()
    expect(
      (await committed(3)).map(({ revision, previous_status, status }) => [revision, previous_status, status]),
    ).toEqual([
      [1, null, 'on-going'],
      [2, 'on-going', 'finished'],
      [3, 'finished', 'expired'],
    ])
  })

  test('shuts out the lane before it, which changes nothing any more', async () => {
    const zombie = await Lane.open(0, options, never)
    await publish(zombie, [observation('e1', 'on-going', 0)])
    const owner = await Lane.open(0, options, never)
    await expect(publish(zombie, [observation('z', 'finished', 5)])).rejects.toThrow(FencedError)
    await publish(owner, [observation('e2', 'finished', 6)])
    expect((await committed(2)).map(({ event_id, revision }) => [event_id, revision])).toEqual([
      ['e1', 1],
      ['e2', 2],
    ])
    expect(zombie.state).toBe('closed')
    await owner.close()
  })

  test('does not see what its predecessor left uncommitted, and publishes it itself', async () => {
    const dying = kafka.producer({ transactionalId: `${topic}:0`, maxInFlightRequests: 1 })
    await dying.connect()
    const transaction = await dying.transaction()
    const update = { revision: 9, state: { session: { status: 'ghost', occurred_at: '2999', event_id: 'g' } } }
    await transaction.send({ topic, messages: [{ key: KEY, value: JSON.stringify(update), partition: 0 }] })
    const lane = await Lane.open(0, options, never)
    expect(lane.size).toBe(0)
    await publish(lane, [observation('e1', 'on-going', 0)])
    await lane.close()
    await dying.disconnect()
    expect((await committed(1)).map(({ revision }) => revision)).toEqual([1])
  })

  test('restores past tombstones and a log that ends in transaction markers', async () => {
    for (const status of ['on-going', 'finished', 'expired']) {
      const lane = await Lane.open(0, options, never)
      await publish(lane, [observation(status, status, status.length)])
      await lane.close()
    }
    const producer = kafka.producer({ transactionalId: `${topic}:0`, maxInFlightRequests: 1 })
    await producer.connect()
    const ended = await producer.transaction()
    await ended.send({ topic, messages: [{ key: KEY, value: null, partition: 0 }] })
    await ended.commit()
    const aborted = await producer.transaction()
    await aborted.send({ topic, messages: [{ key: KEY, value: 'never seen', partition: 0 }] })
    await aborted.abort()
    await producer.disconnect()
    const lane = await Lane.open(0, options, never)
    expect(lane.size).toBe(0)
    await lane.close()
  })

  test('publishes nothing for what is old or expired', async () => {
    const lane = await Lane.open(0, options, never)
    await publish(lane, [observation('e2', 'finished', 5)])
    const folded = await publish(lane, [observation('e1', 'on-going', 0), observation('x', 'finished', -60 * 24 * 91)])
    expect(folded).toEqual({ changed: 0, confirmed: 0, older: 1, expired: 1 })
    await lane.close()
  })

  test('asks the leader at its opening how far the log goes, also where it looks empty', async () => {
    const lane = await Lane.open(0, options, never)
    const ends = async () => (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)?.high
    await until(async () => (await ends()) === '2', {
      timeoutMs: 10_000,
      what: 'an aborted probe and its marker are there',
    })
    expect(await readCommitted()).toEqual([])
    await lane.close()
  })

  test('publishes thousands of updates in one transaction', async () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `many-${i}`).filter((key) => partitionOf(key, 2) === 0)
    const lane = await Lane.open(0, options, never)
    await publish(
      lane,
      keys.map((key) => observation(`e-${key}`, 'on-going', 0, key)),
    )
    await lane.close()
    expect(await committed(keys.length)).toHaveLength(keys.length)
  })
})

describe('a status record that this program cannot have written stops the lane and is named', () => {
  const put = async (message: { key: string | null; value: string | null }) => {
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ ...message, partition: 0 }] })
    await producer.disconnect()
  }

  test.each([
    ['not JSON', { key: KEY, value: '{' }, /\/0 offset 0 cannot be read/],
    ['no state', { key: KEY, value: '{"revision":1}' }, /\/0 offset 0 cannot be read: it has no state/],
    [
      'a key of another partition',
      { key: 'elsewhere', value: '{}' },
      /\/0 offset 0 has a key that belongs on partition 1/,
    ],
  ])('%s', async (_, message, said) => {
    expect(partitionOf('elsewhere', 2)).toBe(1)
    await put(message)
    const opening = Lane.open(0, options, never)
    await expect(opening).rejects.toThrow(CorruptStatusError)
    await expect(opening).rejects.toThrow(said)
    await expect(opening).rejects.toThrow(/To rebuild: /)
  })
})
