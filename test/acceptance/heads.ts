import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Admin, Kafka, KafkaMessage } from 'kafkajs'
import { build } from '../../local/build.ts'
import { memoryOf, processOf } from '../../local/proc.ts'
import { startServices } from '../../local/services.ts'
import { until } from '../../local/until.ts'
import type { Observation } from '../../src/contract/observation.ts'
import { createDecoder } from '../../src/decode/decoder.ts'
import { createStatusCodec } from '../../src/status/codec.ts'
import { fold } from '../../src/status/fold.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { pack } from '../../src/stream/packs.ts'
import { partitionOf } from '../../src/stream/partitions.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { type PartitionMessage, sendAll } from '../../src/stream/send.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { type Stage, startStage } from '../support/stage.ts'

/**
 * Many open sessions: how fast heads are restored beside kafkajs's plain fetch of the same topic, how much memory they take,
 * and how soon after a restart the first update comes. Prints figures; exits with 1 where one misses what is promised.
 *
 *     node test/acceptance/heads.ts --sessions 5000000
 */
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '5000000' },
    partitions: { type: 'string', default: '12' },
  },
})
const sessions = Number(values.sessions)
const partitions = Number(values.partitions)
const STATUS = 'parkmobile.status-updates'
const OBSERVATIONS = 'parkmobile.observations'

const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

const observation = (key: string, status: string, at: number): Observation => ({
  ...{ key, kind: 'session', status, at, event_id: randomUUID(), session_id: key, zone_id: '953987' },
  ...{ card: 'tok_fd7d567acc8853a8570a1a608d105fca', event_type: 'parking_start', http_status: 200, ends_at: null },
  source: { topic: 'parkmobile.events', partition: 3, offset: '123456789' },
})
const keyOf = (i: number) => `IC${String((i * 2_654_435_761) % 4_294_967_296).padStart(14, '0')}N`

/** Puts the first update of each session into the status topic, as a lane would have. */
async function fill(kafka: Kafka): Promise<void> {
  const codec = await createStatusCodec(null, STATUS, createDecoder(null))
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const startedAt = Date.now()
  const waiting = new Map<number, PartitionMessage[]>()
  const sending = new Map<number, Promise<unknown>>()
  const send = async (partition: number) => {
    const messages = waiting.get(partition) ?? []
    waiting.set(partition, [])
    await sending.get(partition)
    sending.set(partition, sendAll(producer, STATUS, messages))
  }
  for (let i = 0; i < sessions; i++) {
    const key = keyOf(i)
    const partition = partitionOf(key, partitions)
    const update = fold(undefined, observation(key, 'on-going', startedAt - (i % 86_400_000)))
    if (!update) throw new Error('a first observation is always new')
    const messages = waiting.get(partition) ?? []
    waiting.set(partition, messages)
    messages.push(...codec.toMessages(partition, [{ key, update }]))
    if (messages.length >= 900) await send(partition)
  }
  for (const partition of waiting.keys()) await send(partition)
  await Promise.all(sending.values())
  await producer.disconnect()
  say(`${sessions} status updates produced in ${Math.round((Date.now() - startedAt) / 1_000)} s`)
}

interface Rate {
  perSecond: number
  microseconds: number
}
const tellRate = ({ perSecond, microseconds }: Rate) =>
  `${Math.round(perSecond)} records/s, ${microseconds.toFixed(2)} µs of processor time a record`

/** kafkajs's own consumer over the whole topic, doing nothing with what comes. */
async function plainFetch(kafka: Kafka): Promise<Rate> {
  const consumer = kafka.consumer({ groupId: `plain-${randomUUID()}`, maxBytesPerPartition: 4 * 1024 * 1024 })
  await consumer.connect()
  await consumer.subscribe({ topic: STATUS, fromBeginning: true })
  let records = 0
  let startedAt = 0
  let usedAtStart = 0
  const started = () => {
    startedAt ||= Date.now()
    usedAtStart ||= processOf('self').seconds
  }
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: partitions,
    eachBatch: async ({ batch }) => {
      started()
      records += batch.messages.length
    },
  })
  await until(() => records >= sessions, { timeoutMs: 1_800_000, what: 'kafkajs has fetched all' })
  const seconds = (Date.now() - startedAt) / 1_000
  const used = processOf('self').seconds - usedAtStart
  await consumer.disconnect()
  return { perSecond: records / seconds, microseconds: (used * 1e6) / records }
}

/** Waits until all lanes run; tells the rate at which status records were read. */
async function restore(stage: Stage): Promise<Rate & { seconds: number }> {
  const startedAt = Date.now()
  const isRunning = async () => (await stage.metric('pm_lanes', 'running')) === partitions
  await until(isRunning, { timeoutMs: 1_800_000, what: 'all lanes run' })
  const seconds = (Date.now() - startedAt) / 1_000
  const records = await stage.metric('pm_restored_records_total')
  return { seconds, perSecond: records / seconds, microseconds: (processOf(stage.pid).seconds * 1e6) / records }
}

/** Produces one observation of each of these sessions. */
async function observe(kafka: Kafka, keys: string[], status: string): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  for (let i = 0; i < keys.length; i += 1_000) {
    const observations = keys.slice(i, i + 1_000).map((key) => observation(key, status, Date.now()))
    await sendAll(producer, OBSERVATIONS, pack(observations, partitions))
  }
  await producer.disconnect()
}

/** Whether an update of this session with this word is committed, behind `from`. */
async function isUpdated(kafka: Kafka, key: string, from: bigint): Promise<boolean> {
  const partition = partitionOf(key, partitions)
  let found = false
  const onMessages = (_: number, messages: KafkaMessage[]) => {
    found ||= messages.some((message) => String(message.key) === key)
  }
  await readToEnd({ kafka, topic: STATUS, partitions: [partition], from: new Map([[partition, from]]), onMessages })
  return found
}

/** Seconds from the start of a stage to the first update that is committed for what came meanwhile. */
async function firstUpdate(kafka: Kafka, admin: Admin, start: () => Stage): Promise<{ stage: Stage; seconds: number }> {
  const key = keyOf(Math.floor(Math.random() * sessions))
  const ends = await admin.fetchTopicOffsets(STATUS)
  const end = ends.find(({ partition }) => partition === partitionOf(key, partitions))?.high ?? '0'
  await observe(kafka, [key], 'expired')
  const startedAt = Date.now()
  const stage = start()
  await until(() => isUpdated(kafka, key, BigInt(end)), { timeoutMs: 600_000, what: 'the first update is committed' })
  return { stage, seconds: (Date.now() - startedAt) / 1_000 }
}

async function measure(env: Record<string, string>, check: (isMet: boolean, what: string) => void): Promise<void> {
  const brokers = (env.KAFKA_BROKERS ?? '').split(',')
  const kafka = new kafkajs.Kafka({ brokers, clientId: 'heads', logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await createTopic(admin, STATUS, partitions, { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '86400000' })
  await createTopic(admin, OBSERVATIONS, partitions, { 'message.timestamp.type': 'LogAppendTime' })
  await fill(kafka)
  const plain = await plainFetch(kafka)
  say(`kafkajs, plain fetch: ${tellRate(plain)}`)

  let stage = startStage(env)
  try {
    const restored = await restore(stage)
    say(`restore without a store: ${tellRate(restored)}, ${restored.seconds.toFixed(1)} s`)
    say(`memory, MiB: ${JSON.stringify(memoryOf(stage.pid))}`)
    check(restored.perSecond >= plain.perSecond / 2, 'restore at half of the plain fetch rate, by the clock')
    check(restored.microseconds <= plain.microseconds * 2, 'the same by processor time, with the start of the program')

    const used = processOf(stage.pid).seconds
    const count = Math.min(200_000, sessions)
    await observe(
      kafka,
      Array.from({ length: count }, (_, i) => keyOf(i)),
      'finished',
    )
    const isDone = async () => (await stage.metric('pm_observations_total', 'published')) >= count
    await until(isDone, { timeoutMs: 600_000, what: 'all observations are published' })
    const each = ((processOf(stage.pid).seconds - used) * 1e6) / count
    say(`status stage at ${sessions} sessions: ${each.toFixed(1)} µs of processor time an observation`)
    say(`memory, MiB: ${JSON.stringify(memoryOf(stage.pid))}`)
    check(memoryOf(stage.pid).VmHWM <= 512, 'resident memory of at most 512 MiB, at its peak')

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await stage.end(signal)
      const first = await firstUpdate(kafka, admin, () => startStage(env))
      stage = first.stage
      const read = await stage.metric('pm_restored_records_total')
      say(`after ${signal}: ${read} status records read again; memory, MiB: ${JSON.stringify(memoryOf(stage.pid))}`)
      check(
        first.seconds <= 10,
        `restart after ${signal} to the first update: ${first.seconds.toFixed(1)} s of at most 10`,
      )
    }
  } finally {
    await stage.end('SIGKILL')
    await admin.disconnect()
  }
}

async function main(): Promise<number> {
  await build(say)
  await using services = await startServices({ fresh: true, progress: say })
  const stateDir = mkdtempSync(join(tmpdir(), 'heads-'))
  let missed = 0
  try {
    await measure({ ...services.env, STATE_DIR: stateDir }, (isMet, what) => {
      say(`${isMet ? 'met   ' : 'MISSED'} ${what}`)
      if (!isMet) missed++
    })
  } finally {
    rmSync(stateDir, { recursive: true })
  }
  return missed > 0 ? 1 : 0
}

process.exit(await main())
