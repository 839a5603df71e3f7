import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../../local/build.ts'
import { total } from '../../local/scrape.ts'
import { isRight, type Report, tellReport } from '../support/compare.ts'
import { openHowTo } from '../support/how-to.ts'
import type { Processor } from '../support/processor.ts'
import { readBeside } from '../support/read-beside.ts'
import { lastRelease, PRESENT, type Release } from '../support/release.ts'
import { newRunNames } from '../support/run-names.ts'
import type { Program } from '../support/service.ts'
import { sharedServices } from '../support/services.ts'
import { LANES, playUpgrade, type UpgradeRun } from '../support/upgrade-run.ts'

/** From the last release to what is here, and back, while records keep coming. */
const { env } = sharedServices()
const { SCHEMA_REGISTRY_URL: _, ...withoutRegistry } = env
const stateDir = mkdtempSync(join(tmpdir(), 'upgrade-'))
const TIMEOUT_MS = 240_000
let release: Release

beforeAll(async () => {
  await build(() => undefined)
  release = await lastRelease()
}, 300_000)
afterAll(() => rmSync(stateDir, { recursive: true, force: true }))

const expectFlawless = (report: Report) => {
  expect(isRight(report) ? '' : tellReport(report)).toBe('')
  expect(report.figures.updates).toBeGreaterThan(500)
}

describe('nothing is lost, repeated, out of order or told wrongly over an upgrade and a rollback', () => {
  test(
    'with heads in memory and Avro, each new processor before an old one ends, and serve of both beside them',
    async () => {
      const report = await playUpgrade(env, 'upgrade-memory', async (run) => {
        await using reading = await readBeside(run, [release.program, PRESENT])
        let fleet = await startAll(run, 3, release.program)
        for (const program of [PRESENT, release.program]) fleet = await rollAhead(run, fleet, program)
        await run.caughtUp()
        await reading.finish()
      })
      expectFlawless(report)
    },
    TIMEOUT_MS,
  )

  test(
    'with heads on disk, each old processor before its successor starts: each version reads the heads of the other',
    async () => {
      const report = await playUpgrade(withoutRegistry, 'upgrade-disk', async (run) => {
        const extra = { STATE_DIR: stateDir }
        let fleet = await startAll(run, 2, release.program, extra)
        for (const program of [PRESENT, release.program]) fleet = await rollBehind(run, fleet, program, extra)
        await run.caughtUp()
        for (const processor of fleet) await run.stop(processor)
        for (const program of [PRESENT, release.program, PRESENT]) await readsOnlyTheTail(run, program, extra)
      })
      expectFlawless(report)
    },
    TIMEOUT_MS,
  )

  test(
    'with the stages apart, each of them the newer for a while',
    async () => {
      const report = await playUpgrade(withoutRegistry, 'upgrade-stages', async (run) => {
        const [ingest, status] = [{ STAGES: 'ingest' }, { STAGES: 'status' }]
        const oldIngest = await run.start(release.program, ingest)
        const newStatus = await run.start(PRESENT, status)
        const newIngest = await run.start(PRESENT, ingest)
        await run.stop(oldIngest)
        const oldStatus = await run.start(release.program, status)
        await run.stop(newStatus)
        await run.start(release.program, ingest)
        await run.stop(newIngest)
        await run.start(PRESENT, status)
        await run.stop(oldStatus)
      })
      expectFlawless(report)
    },
    TIMEOUT_MS,
  )
})

function startAll(run: UpgradeRun, count: number, program: Program, extra = {}): Promise<Processor[]> {
  return Promise.all(Array.from({ length: count }, () => run.start(program, extra)))
}

test('the new version tells beforehand whether it takes the settings, and whether its schemas fit', async () => {
  const page = await openHowTo('upgrade.md')
  const told = await page.follow('Before', { ...env, ...newRunNames('upgrade-before') })
  expect(told).toContain('EVENTS_TOPICS')
  expect(told).toContain('status-update')
})

/** As a Deployment does it: one more than usual for a while. */
async function rollAhead(run: UpgradeRun, old: Processor[], program: Program): Promise<Processor[]> {
  const fleet: Processor[] = []
  for (const processor of old) {
    fleet.push(await run.start(program))
    await run.stop(processor)
  }
  return fleet
}

/** As a StatefulSet does it, whose disks come over: one fewer than usual for a while. */
async function rollBehind(
  run: UpgradeRun,
  old: Processor[],
  program: Program,
  extra: Record<string, string>,
): Promise<Processor[]> {
  const fleet: Processor[] = []
  for (const processor of old) {
    await run.stop(processor)
    fleet.push(await run.start(program, extra))
  }
  return fleet
}

/** The heads that the other version left count: of each lane the record at its mark is read, and little more. */
async function readsOnlyTheTail(run: UpgradeRun, program: Program, extra: Record<string, string>): Promise<void> {
  const processor = await run.start(program, extra)
  const restored = total(await processor.metrics(), 'pm_restored_records_total')
  const log = processor.log()
  await run.stop(processor)
  expect(log).not.toContain('stored heads are discarded')
  expect(restored).toBeGreaterThan(0)
  expect(restored).toBeLessThanOrEqual(2 * LANES)
}
