import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { build } from '../../local/build.ts'
import type { OwnService } from '../../local/controllable.ts'
import { startMongodb } from '../../local/native/mongodb.ts'
import type { Services } from '../../local/services.ts'
import { isRight, tellReport } from '../support/compare.ts'
import { type Drill, NAMES, openDrill } from '../support/drill.ts'
import { type HowTo, openHowTo } from '../support/how-to.ts'
import { produce } from '../support/produce.ts'
import { startReadSide } from '../support/read-side.ts'
import { freshServices } from '../support/services.ts'

/** docs/how-to/back-up-and-restore.md; the backup is a copy of mongod's files. */
let services: Services
let mongodb: OwnService
let drill: Drill
let page: HowTo

beforeAll(async () => {
  await build(() => undefined)
  services = await freshServices()
  const directory = join(services.directory, 'own')
  await mkdir(directory)
  mongodb = await startMongodb(directory, () => undefined)
  page = await openHowTo('back-up-and-restore.md')
  drill = await openDrill({ KAFKA_BROKERS: services.env.KAFKA_BROKERS, MONGODB_URI: mongodb.address })
}, 240_000)
afterAll(async () => {
  await mongodb?.discard()
  await services?.[Symbol.asyncDispose]()
}, 60_000)

const data = () => join(services.directory, 'own', 'mongodb')
const backup = () => join(services.directory, 'backup')

async function whileStopped(work: () => Promise<void>): Promise<void> {
  await mongodb.stop()
  await work()
  await mongodb.start()
}

const event = (event_id: string, status: string) => ({
  ...{ event_id, event_type: 'parking_extend', card: null, zone_id: '7', timestamp: new Date().toISOString(), status },
  session_data: { session_id: `session of ${event_id}` },
})

test('documents that are newer than the backup come back, erasures too, and nothing is published again', async () => {
  await drill.send(300, 'before the backup')
  await drill.sendEvents(event('erased', 'on-going'), event('moved', 'on-going'))
  await drill.workOff()
  const SINCE = new Date().toISOString().slice(0, -1)
  await whileStopped(() => cp(data(), backup(), { recursive: true }))
  await drill.send(300, 'after the backup')
  await drill.sendEvents(event('moved', 'finished'), event('new', 'on-going'))
  await produce(services.env.KAFKA_BROKERS, NAMES.EVENTS_TOPICS, [{ partition: 0, key: 'erased', value: null }])
  await drill.workOff()
  const [documents, updates] = [await drill.documents(), await drill.updates()]

  await whileStopped(async () => {
    await rm(data(), { recursive: true })
    await cp(backup(), data(), { recursive: true })
  })
  const restored = await drill.documents()
  expect(restored.size).toBeLessThan(documents.size)
  expect(restored.get('erased')).toContain('session of erased')

  const told = await page.follow('Restore MongoDB', { ...services.env, SINCE })
  const offsets = [...told.matchAll(/parkmobile\.\w+\s+\d+\s+(\d+)/g)].map(([, offset]) => Number(offset))
  expect(Math.max(...offsets)).toBeGreaterThan(0)
  await drill.workOff()
  expect(await drill.documents()).toEqual(documents)
  expect(await drill.updates()).toEqual(updates)
  const report = await drill.judge()
  expect(isRight(report) ? '' : tellReport(report)).toBe('')

  await using serve = await startReadSide(drill.env)
  expect((await serve.get('/v1/events/new')).status).toBe(200)
  expect((await serve.get('/v1/events/erased')).status).toBe(410)
  await serve.stop()
}, 240_000)
