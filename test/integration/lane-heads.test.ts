import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Admin, KafkaMessage } from 'kafkajs'
import { pino } from 'pino'
import type { Observation } from '../../src/contract/observation.ts'
import { createDecoder } from '../../src/decode/decoder.ts'
import { createStatusCodec } from '../../src/status/codec.ts'
import { headsOpener } from '../../src/status/heads/open.ts'
import { Lane, type LaneOptions } from '../../src/status/lane.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { newestTimestamp } from '../../src/stream/newest-timestamp.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { newStatusTopic } from '../support/new-topic.ts'
import { sharedServices, until } from '../support/services.ts'

const { Kafka, logLevel } = kafkajs
const kafka = new Kafka({ brokers: sharedServices().brokers, clientId: 'lane-heads-test', logLevel: logLevel.NOTHING })
const never = new AbortController().signal
const DAY = 86_400_000
const RETENTION = 90 * DAY
const stateDir = mkdtempSync(join(tmpdir(), 'lane-heads-'))
let admin: Admin
let topic: string
let options: LaneOptions
/** Status records that restores have read, and what they said of stored heads. */
let restored = 0
const said: string[] = []

beforeAll(async () => {
  admin = kafka.admin()
  await admin.connect()
})
afterAll(async () => {
  await admin.disconnect()
  rmSync(stateDir, { recursive: true })
})

beforeEach(async () => {
  topic = `lane-heads-${randomUUID()}`
  restored = 0
  said.length = 0
  await newStatusTopic(admin, topic, 1)
  const log = pino({ level: 'warn' }, { write: (line) => said.push(JSON.parse(line).reason) })
  options = {
    ...{ kafka, log, topic, partitions: 1, retentionMs: RETENTION },
    codec: await createStatusCodec(null, topic, createDecoder(null)),
    openHeads: headsOpener(stateDir, topic, log),
    newestSeen: async () => 0,
    restoring: (work) => work(),
    onState: () => {},
    onProgress: (_, records) => {
      restored += records
    },
    onRestored: () => {},
  }
})

const observation = (key: string, event_id: string, status: string, at: number): Observation => ({
  ...{ key, kind: 'session', status, at, event_id, session_id: key, card: null, zone_id: 'Z' },
  ...{ event_type: null, http_status: 200, ends_at: null, source: { topic: 'events', partition: 0, offset: '7' } },
})

const started = (count: number, at = Date.now() - 60_000) =>
  Array.from({ length: count }, (_, i) => observation(`S${i}`, `start ${i}`, 'on-going', at))

async function readCommitted(): Promise<KafkaMessage[]> {
  const records: KafkaMessage[] = []
  const onMessages = (_: number, messages: KafkaMessage[]) => void records.push(...messages)
  await readToEnd({ kafka, topic, onMessages })
  return records
}

/** Key and revision of each committed record, null for the end of a key, once there are `count`. */
async function committed(count: number): Promise<[string, number | null][]> {
  let records: KafkaMessage[] = []
  const enough = async () => {
    records = await readCommitted()
    return records.length >= count
  }
  await until(enough, { timeoutMs: 20_000, what: `${count} records are committed` })
  return records.map(({ key, value }) => [String(key), value && JSON.parse(String(value)).revision])
}

const storeOf = (partition: number) => join(stateDir, topic, String(partition))

describe('a lane with stored heads', () => {
  test('reads only the tail when it opens again, and counts on', async () => {
    const first = await Lane.open(0, options, never)
    await first.publish(started(500), Date.now())
    await first.close()
    const second = await Lane.open(0, options, never)
    expect([second.size, restored]).toEqual([500, 1])
    await second.publish([observation('S7', 'stop', 'finished', Date.now())], Date.now())
    await second.close()
    expect((await committed(501)).at(-1)).toEqual(['S7', 2])
    expect(said).toEqual([])
  })

  test('reads after a kill what was committed since, also by others', async () => {
    const first = await Lane.open(0, options, never)
    await first.publish(started(500), Date.now())
    cpSync(storeOf(0), `${storeOf(0)}-killed`, { recursive: true })
    await first.publish([observation('S7', 'extend', 'on-going', Date.now())], Date.now())
    await first.close()
    const elsewhere = await Lane.open(0, { ...options, openHeads: headsOpener(null, topic, options.log) }, never)
    await elsewhere.publish([observation('S8', 'stop', 'finished', Date.now())], Date.now())
    await elsewhere.close()
    rmSync(storeOf(0), { recursive: true })
    cpSync(`${storeOf(0)}-killed`, storeOf(0), { recursive: true })
    restored = 0
    const third = await Lane.open(0, options, never)
    expect([third.size, restored]).toEqual([500, 3])
    const again = [observation('S7', 'extend', 'on-going', 0), observation('S8', 'x', 'on-going', 1)]
    expect((await third.publish(again, 0)).older).toBe(2)
    await third.close()
  })

  test('discards them when its topic was made anew, though the new one has as many records', async () => {
    const first = await Lane.open(0, options, never)
    const at = Date.now() - 60_000
    await first.publish(started(20, at), Date.now())
    await first.close()
    await admin.deleteTopics({ topics: [topic] })
    const gone = async () => !(await admin.listTopics()).includes(topic)
    await until(gone, { timeoutMs: 20_000, what: 'the topic is deleted' })
    await newStatusTopic(admin, topic, 1)
    // The same updates at the same offsets, but at another time; and of S0 one that was never there.
    const elsewhere = await Lane.open(0, { ...options, openHeads: headsOpener(null, topic, options.log) }, never)
    const [, ...others] = started(20, at)
    await elsewhere.publish([observation('new', 'x', 'on-going', at), ...others], Date.now())
    await elsewhere.close()
    const second = await Lane.open(0, options, never)
    expect(said).toEqual([expect.stringMatching(/the record at offset 21 is another/)])
    await second.publish([observation('S0', 'stop', 'finished', Date.now())], Date.now())
    await second.close()
    expect((await committed(21)).at(-1)).toEqual(['S0', 1])
  })

  test('discards them when the log ends before them', async () => {
    const first = await Lane.open(0, options, never)
    await first.publish(started(20), Date.now())
    await first.close()
    const saved = storeOf(0)
    topic = `${topic}-other`
    await newStatusTopic(admin, topic, 1)
    cpSync(saved, storeOf(0), { recursive: true })
    const second = await Lane.open(
      0,
      { ...options, topic, openHeads: headsOpener(stateDir, topic, options.log) },
      never,
    )
    expect(second.size).toBe(0)
    expect(said).toEqual([expect.stringMatching(/ends before offset 21/)])
    await second.close()
  })

  test('closes when it meets damage, before it has published anything, and the next one restores all', async () => {
    const first = await Lane.open(0, options, never)
    await first.publish(started(50), Date.now())
    await first.close()
    const second = await Lane.open(0, options, never)
    for (const file of readdirSync(storeOf(0)).filter((name) => name.endsWith('.log'))) {
      const bytes = readFileSync(join(storeOf(0), file))
      writeFileSync(join(storeOf(0), file), bytes.fill(0x55, 100))
    }
    const stop = [observation('S7', 'stop', 'finished', Date.now())]
    await expect(second.publish(stop, Date.now())).rejects.toThrow(/damaged|no record/)
    expect(second.state).toBe('closed')
    restored = 0
    const third = await Lane.open(0, options, never)
    expect([third.size, restored]).toEqual([50, 50])
    await third.publish(stop, Date.now())
    await third.close()
    expect((await committed(51)).slice(50)).toEqual([['S7', 2]])
  })
})

test('a lane that does not open leaves no restore behind, which would fill the heads of nobody', async () => {
  options = { ...options, openHeads: headsOpener(null, topic, options.log) }
  const first = await Lane.open(0, options, never)
  await first.publish(started(50), Date.now())
  await first.close()
  restored = 0
  const away = async () => {
    throw new Error('no leader')
  }
  await expect(Lane.open(0, { ...options, newestSeen: away }, never)).rejects.toThrow('no leader')
  await sleep(1_000)
  expect(restored).toBe(0)
})

describe.each(['in memory', 'on disk'])('keys whose retention is over, with heads %s', (where) => {
  beforeEach(() => {
    if (where === 'in memory') options = { ...options, openHeads: headsOpener(null, topic, options.log) }
  })

  const now = Date.now()
  const over = now - RETENTION - DAY - 60_000

  test('end with a null value, once, and a live one stays', async () => {
    const lane = await Lane.open(0, options, never)
    const alive = observation('alive', 'a', 'on-going', now - RETENTION - DAY + 3_600_000)
    await lane.publish([observation('old', 'o', 'finished', over), alive], over + 60_000)
    expect(await lane.expire(1)).toBe(0)
    await lane.publish([], now)
    expect(await lane.expire(1)).toBe(1)
    expect([await lane.expire(1), lane.size]).toEqual([0, 1])
    await lane.close()
    expect((await committed(3)).at(-1)).toEqual(['old', null])
    const next = await Lane.open(0, options, never)
    expect(next.size).toBe(1)
    await next.close()
  })

  test('are not revived by a rewind, not even in a lane that knows only how far Kafka was', async () => {
    const lane = await Lane.open(0, options, never)
    await lane.publish([observation('old', 'o', 'finished', over)], over)
    await lane.publish([], now)
    expect(await lane.expire(1)).toBe(1)
    expect(await lane.publish([observation('old', 'o', 'finished', over)], over)).toMatchObject({ expired: 1 })
    await lane.close()
    const next = await Lane.open(0, { ...options, newestSeen: async () => now }, never)
    expect(await next.publish([observation('old', 'o', 'finished', over)], over)).toMatchObject({ expired: 1 })
    await next.close()
  })

  test('do not end by a machine whose clock runs ahead of Kafka', async () => {
    const lane = await Lane.open(0, options, never)
    // By this machine's clock it was over long ago; by Kafka's it has just begun.
    expect(await lane.publish([observation('live', 'l', 'on-going', over)], over)).toMatchObject({ expired: 0 })
    expect([await lane.expire(1), lane.size]).toEqual([0, 1])
    await lane.close()
  })

  test('may begin anew with a new observation, at revision 1', async () => {
    const lane = await Lane.open(0, options, never)
    await lane.publish([observation('old', 'o', 'finished', over)], over)
    await lane.publish([], now)
    expect(await lane.expire(1)).toBe(1)
    expect(await lane.publish([observation('old', 'again', 'on-going', now)], now)).toMatchObject({ changed: 1 })
    await lane.close()
    expect((await committed(3)).slice(1)).toEqual([
      ['old', null],
      ['old', 1],
    ])
  })

  test('go on when they are observed again just before their end', async () => {
    const lane = await Lane.open(0, options, never)
    await lane.publish([observation('old', 'o', 'finished', over)], over)
    await lane.publish([], now)
    const again = [observation('old', 'again', 'on-going', now)]
    expect((await Promise.all([lane.expire(1), lane.publish(again, now)]))[0]).toBe(0)
    await lane.close()
    expect((await committed(2))[1]).toEqual(['old', 2])
  })

  test('end all at one look, however many they are', async () => {
    const lane = await Lane.open(0, options, never)
    const many = Array.from({ length: 2_500 }, (_, i) => observation(`old${i}`, `o${i}`, 'finished', over))
    await lane.publish(many, over)
    await lane.publish([], now)
    expect(await lane.expire(1)).toBe(2_500)
    expect(lane.size).toBe(0)
    await lane.close()
  })
})

test('the newest timestamp of a partition is that of its last record, and 0 when it has none', async () => {
  expect(await newestTimestamp({ kafka, admin, topic }, 0, never)).toBe(0)
  const producer = kafka.producer()
  await producer.connect()
  for (const timestamp of ['1700000000000', '1750000000000']) {
    await producer.send({ topic, messages: [{ key: 'k', value: 'v', timestamp }] })
  }
  await producer.disconnect()
  expect(await newestTimestamp({ kafka, admin, topic }, 0, never)).toBe(1_750_000_000_000)
})
