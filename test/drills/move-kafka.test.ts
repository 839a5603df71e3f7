import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { build } from '../../local/build.ts'
import type { OwnService } from '../../local/controllable.ts'
import { startKafka } from '../../local/native/kafka.ts'
import type { NativeService } from '../../local/native/process.ts'
import type { Services } from '../../local/services.ts'
import { type Drill, NAMES, openDrill } from '../support/drill.ts'
import { openEventStream } from '../support/event-stream.ts'
import { wrongIn } from '../support/histories.ts'
import { type HowTo, openHowTo } from '../support/how-to.ts'
import { type JudgedRecord, readTopic } from '../support/judge.ts'
import { startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { startReadSide } from '../support/read-side.ts'
import { freshServices, until } from '../support/services.ts'

/** docs/how-to/move-to-another-cluster.md: from one Kafka to another, with sessions that go on across the move. */
const SESSIONS = 40
let services: Services
let next: OwnService
let mirror: NativeService | undefined
let drill: Drill
let page: HowTo
let clusters: Record<string, string>

beforeAll(async () => {
  await build(() => undefined)
  services = await freshServices()
  const directory = join(services.directory, 'next')
  await mkdir(directory)
  next = await startKafka(directory, () => undefined)
  page = await openHowTo('move-to-another-cluster.md')
  drill = await openDrill(services.env)
  clusters = { OLD_BROKERS: services.env.KAFKA_BROKERS, NEW_BROKERS: next.address }
}, 300_000)
afterAll(async () => {
  await mirror?.discard()
  await next?.discard()
  await services?.[Symbol.asyncDispose]()
}, 60_000)

const START = Date.now() - 3_600_000
const event = (session: number, step: number, status: string) => ({
  ...{ event_id: `e${session}-${step}`, event_type: 'parking_extend', card: null, zone_id: '7', status },
  ...{ timestamp: START + 60_000 * step, session_data: { session_id: `S${session}` } },
})
const all = (step: number, status: string) => Array.from({ length: SESSIONS }, (_, i) => event(i, step, status))

async function updatesOn(brokers: string): Promise<JudgedRecord[]> {
  const records: JudgedRecord[] = []
  for await (const one of readTopic(brokers, NAMES.STATUS_TOPIC, { transactional: true })) records.push(one)
  return records
}

const byPartition = (records: JudgedRecord[]) =>
  Object.values(Object.groupBy(records, ({ partition }) => partition))
    .flatMap((own) => own ?? [])
    .map(({ partition, key, value, headers, timestamp }) => [partition, String(key), String(value), headers, timestamp])

test('all updates are there as they were, revisions go on, and what comes again publishes nothing', async () => {
  await drill.send(400, 'before the move')
  await drill.sendEvents(...all(1, 'on-going'))
  await page.follow('Make the topics', clusters)
  await page.follow('Copy the status topic', clusters)
  mirror = await page.begin('Run MirrorMaker', clusters)
  const old = await drill.start({ STATE_DIR: join(services.directory, 'state') })
  await drill.caughtUp()
  // The producers have moved; one of them begins with what it had sent already.
  const send = (events: object[]) =>
    produce(
      next.address,
      NAMES.EVENTS_TOPICS,
      events.map((one) => ({ partition: 0, key: null, value: JSON.stringify(one) })),
    )
  await send([...all(1, 'on-going'), ...all(2, 'finished')])
  await drill.sendEvents(...all(0, 'alerted')) // late ones: stored, not announced
  await drill.sendEvents(event(SESSIONS, 1, 'on-going'))
  await drill.caughtUp()
  const lag = await page.follow('Work off what is left', clusters)
  for (const [, left] of lag.matchAll(/parkmobile\.\w+\s+\d+\s+\d+\s+\d+\s+(\d+)/g)) expect(left).toBe('0')
  await old.stop()
  const SINCE = new Date().toISOString().slice(0, -1)
  const before = await updatesOn(services.env.KAFKA_BROKERS)

  const isWhole = async () => {
    const [one, other] = (await page.follow('See that the copy is whole', clusters)).trim().split('\n')
    return one !== undefined && one === other
  }
  await until(isWhole, { timeoutMs: 120_000, what: 'the copy is whole', everyMs: 1_000 })
  await mirror.stop()
  const copied = await updatesOn(next.address)
  expect(byPartition(copied)).toEqual(byPartition(before))

  const env = { ...drill.env, KAFKA_BROKERS: next.address }
  const processor = await startProcessor({ ...env, STATE_DIR: join(services.directory, 'state') })
  expect(processor.log()).toContain('stored heads are discarded')
  await using progress = await watchProgress(next.address, NAMES)
  await progress.caughtUp(60_000)
  await processor.stop()
  const after = await updatesOn(next.address)
  const known = new Set(copied.map(({ headers }) => headers.ce_id))
  expect(byPartition(after.filter(({ headers }) => known.has(headers.ce_id)))).toEqual(byPartition(copied))
  expect(wrongIn(after)).toEqual([])
  expect(after.length).toBe(before.length + SESSIONS)

  const told = await page.follow('Go on', { ...clusters, SUBSCRIBER: 'billing', SINCE })
  const from = new Map(
    [...told.matchAll(/status-updates\s+(\d+)\s+(\d+)/g)].map(([, p, at]) => [Number(p), Number(at)]),
  )
  const seen = after.filter(({ partition, offset }) => offset >= (from.get(partition) ?? 0))
  expect(new Set(seen.map(({ headers }) => headers.ce_id)).size).toBe(SESSIONS)

  await using serve = await startReadSide(env)
  const stream = await openEventStream(`${serve.url}/v1/status-updates?all=true`)
  const { body } = await serve.get('/v1/sessions/S0')
  expect([body.status, body.revision]).toEqual(['finished', 2])
  await send([event(0, 3, 'expired')])
  const last = await startProcessor(env)
  await stream.has('status', 1)
  expect(stream.data('status')).toEqual([expect.objectContaining({ session_id: 'S0', revision: 3 })])
  stream.cut()
  await last.stop()
  await serve.stop()
}, 300_000)
