import { total } from '../../local/scrape.ts'
import { compareRun, type Report, type RunServices } from './compare.ts'
import { isReady, launchProcessor, type Processor } from './processor.ts'
import { watchProgress } from './progress.ts'
import { newRunNames, type RunNames } from './run-names.ts'
import { makeTopics } from './run-topics.ts'
import { dropDatabase, TOKEN_KEY } from './run-traffic.ts'
import type { Program } from './service.ts'
import { until } from './services.ts'
import { startTraffic } from './steady-traffic.ts'

/** Processors of two versions at work on the same topics, while records keep coming. */
export interface UpgradeRun {
  readonly names: RunNames
  /** Settings of a processor, or of a read side. */
  readonly env: Record<string, string>
  /** Starts one, and returns when it has worked on records. */
  start(program: Program, extra?: Record<string, string>): Promise<Processor>
  /** SIGTERM. @throws when it does not end in good order */
  stop(processor: Processor): Promise<void>
  /** Ends the traffic and waits until all of it is worked off. */
  caughtUp(): Promise<void>
}

export const INPUT_PARTITIONS = 3
export const LANES = 4

const PER_SECOND = 120
const PATIENCE_MS = 90_000

/**
 * Plays an upgrade under traffic, on topics and a database of its own, and judges all that came out: documents by the model,
 * updates as another client reads them. What `play` leaves running is ended in good order.
 */
export async function playUpgrade(
  services: RunServices,
  what: string,
  play: (run: UpgradeRun) => Promise<void>,
): Promise<Report> {
  const names = newRunNames(what)
  const brokers = services.KAFKA_BROKERS
  const env = { ...services, ...names, CARD_TOKEN_KEY: TOKEN_KEY, CHUNK_RECORDS: '50' } as Record<string, string>
  await makeTopics(brokers, names, { inputPartitions: INPUT_PARTITIONS, lanes: LANES })
  await using progress = await watchProgress(brokers, names)
  const encoding = services.SCHEMA_REGISTRY_URL === undefined ? 'json' : 'mixed'
  const traffic = startTraffic(services, names, { rate: PER_SECOND, seed: what, encoding })
  const living = new Set<Processor>()
  let isOver = false
  const run: UpgradeRun = {
    ...{ names, env },
    async start(program, extra = {}) {
      const processor = launchProcessor({ ...env, ...extra }, program)
      living.add(processor)
      await isReady(processor)
      if (!isOver) await hasWorked(processor, extra.STAGES ?? 'ingest,status')
      return processor
    },
    async stop(processor) {
      living.delete(processor)
      await processor.stop()
    },
    async caughtUp() {
      isOver = true
      await traffic.stop()
      await progress.caughtUp(PATIENCE_MS).catch((error) => {
        throw new Error([error.message, ...[...living].map((one) => one.log().slice(-4_000))].join('\n\n'))
      })
    },
  }
  try {
    await play(run)
    if (!isOver) await run.caughtUp()
    for (const processor of living) await run.stop(processor)
    return await compareRun(services, names, TOKEN_KEY)
  } finally {
    if (!isOver) await traffic.stop().catch(() => {})
    for (const processor of living) await processor[Symbol.asyncDispose]()
    await progress.cleanUp()
    await dropDatabase(services, names)
  }
}

/** It has a share of the work: otherwise its version proves nothing. */
async function hasWorked(processor: Processor, stages: string): Promise<void> {
  const looks = async () => {
    const samples = await processor.metrics()
    return stages.split(',').every((stage) => total(samples, 'pm_records_consumed_total', { stage }) > 0)
  }
  await until(looks, { timeoutMs: PATIENCE_MS, what: `a processor works on ${stages}`, everyMs: 100 }).catch(
    (error) => {
      throw new Error(`${error.message}\n${processor.log().slice(-4_000)}`)
    },
  )
}
