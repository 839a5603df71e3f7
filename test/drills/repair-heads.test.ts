import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { build } from '../../local/build.ts'
import type { Services } from '../../local/services.ts'
import { isRight, tellReport } from '../support/compare.ts'
import { type Drill, NAMES, openDrill, PARTITIONS } from '../support/drill.ts'
import { type HowTo, openHowTo } from '../support/how-to.ts'
import { freshServices } from '../support/services.ts'

/** docs/how-to/repair-heads.md */
const DISCARDED = 'stored heads are discarded, the status topic has them all'
let services: Services
let drill: Drill
let page: HowTo
let stateDir: string
let sent = 0

const sendMore = () => drill.send(300, `heads ${++sent}`)
const storesIn = () => {
  const files = readdirSync(join(stateDir, NAMES.STATUS_TOPIC), { recursive: true, withFileTypes: true })
  return files.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

beforeAll(async () => {
  await build(() => undefined)
  services = await freshServices()
  stateDir = mkdtempSync(join(services.directory, 'state-'))
  page = await openHowTo('repair-heads.md')
  drill = await openDrill(services.env)
  await sendMore()
  await drill.workOff({ STATE_DIR: stateDir })
}, 240_000)
afterAll(async () => services?.[Symbol.asyncDispose](), 60_000)

test('heads that are deleted are read from the topic again', async () => {
  expect(storesIn().length).toBeGreaterThanOrEqual(PARTITIONS.lanes)
  await page.follow('Delete them', { STATE_DIR: stateDir })
  expect(existsSync(stateDir)).toBe(false)
  await sendMore()
  expect(await drill.workOff({ STATE_DIR: stateDir })).not.toContain(DISCARDED)
  expect(storesIn().length).toBeGreaterThanOrEqual(PARTITIONS.lanes)
}, 120_000)

test('heads with flipped bits, cut short, or half lost are found out and rebuilt by themselves', async () => {
  const damages: ((bytes: Buffer) => Buffer)[] = [
    (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))),
    (bytes) => bytes.subarray(0, bytes.length - 9),
    () => Buffer.alloc(0),
  ]
  for (const damage of damages) {
    for (const path of storesIn().filter((file) => file.endsWith('.table')))
      writeFileSync(path, damage(readFileSync(path)))
    await sendMore()
    expect(await drill.workOff({ STATE_DIR: stateDir })).toContain(DISCARDED)
  }
  for (const path of storesIn().filter((file) => file.endsWith('.log'))) writeFileSync(path, '')
  await sendMore()
  expect(await drill.workOff({ STATE_DIR: stateDir })).toContain(DISCARDED)
}, 180_000)

test('and none of it can be told from what comes out', async () => {
  const report = await drill.judge()
  expect(isRight(report) ? '' : tellReport(report)).toBe('')
  expect(report.figures.updates).toBeGreaterThan(500)
}, 120_000)

test('a status topic that is deleted is made of the inputs again', async () => {
  await page.follow('When the status topic itself is gone', services.env)
  const log = await drill.workOff({ STATE_DIR: stateDir })
  expect(log).toContain(DISCARDED)
  const report = await drill.judge()
  expect(isRight(report) ? '' : tellReport(report)).toBe('')
}, 120_000)
