import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { build } from '../../local/build.ts'
import { withAdmin } from '../../local/quiet-kafka.ts'
import type { Services } from '../../local/services.ts'
import { isRight, tellReport } from '../support/compare.ts'
import { type Drill, NAMES, openDrill } from '../support/drill.ts'
import { type HowTo, openHowTo } from '../support/how-to.ts'
import { freshServices } from '../support/services.ts'

/** docs/how-to/repair-cache.md */
let services: Services
let drill: Drill
let page: HowTo
let before: { documents: Map<string, string>; updates: string[] }

beforeAll(async () => {
  await build(() => undefined)
  services = await freshServices()
  page = await openHowTo('repair-cache.md')
  drill = await openDrill(services.env)
  await drill.send(600, 'cache')
  await drill.workOff()
  before = { documents: await drill.documents(), updates: await drill.updates() }
}, 240_000)
afterAll(async () => services?.[Symbol.asyncDispose](), 60_000)

test('brings every document back as it was, and publishes nothing', async () => {
  expect(before.documents.size).toBeGreaterThan(300)
  const told = await page.follow('Rebuild it', services.env)
  expect(told).toMatch(/parkmobile\.events\s+0\s+0/)
  expect((await drill.documents()).size).toBe(0)
  await drill.workOff()
  expect(await drill.documents()).toEqual(before.documents)
  expect(await drill.updates()).toEqual(before.updates)
  const left = await page.follow('See it through', services.env)
  const report = await drill.judge()
  expect(isRight(report) ? '' : tellReport(report)).toBe('')
  for (const [, end, committed] of left.matchAll(/parkmobile\.\w+\s+\d+\s+(\d+)\s+(\d+)/g)) expect(committed).toBe(end)
}, 120_000)

test('what has expired from the topics does not come back, and the rest is as it was', async () => {
  await withAdmin(services.env.KAFKA_BROKERS, async (admin) => {
    const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets(NAMES.EVENTS_TOPICS)
    const partitions = [{ partition: 0, offset: String(Math.floor(Number(high) / 2)) }]
    await admin.deleteTopicRecords({ topic: NAMES.EVENTS_TOPICS, partitions })
  })
  await page.follow('Rebuild it', services.env)
  await drill.workOff({ STAGES: 'ingest' }) // the judge has put its seals into the status topic
  const after = await drill.documents()
  expect(after.size).toBeLessThan(before.documents.size)
  expect(after.size).toBeGreaterThan(0)
  for (const id of after.keys()) expect(before.documents.has(id)).toBe(true)
}, 120_000)
