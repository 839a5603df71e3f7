import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Services } from '../../local/services.ts'
import { compareRun, isRight, tellReport } from '../support/compare.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames, type RunNames } from '../support/run-names.ts'
import { simulate, TOKEN_KEY } from '../support/run-traffic.ts'
import { freshServices, until } from '../support/services.ts'

/** Longer than a session time-out, so that memberships and transactions end meanwhile. */
const AWAY_MS = 15_000
const TIMEOUT_MS = 400_000
const EVENTS = 4_000

let services: Services
beforeAll(async () => {
  services = await freshServices({ registry: true })
}, 180_000)
afterAll(async () => services?.[Symbol.asyncDispose]())

interface Stage {
  names: RunNames
  processor: Processor
  send(seed: string): Promise<void>
}

const environment = (names: RunNames) => ({ ...services.env, ...names, CARD_TOKEN_KEY: TOKEN_KEY, CHUNK_RECORDS: '50' })

/** Plays a scene on a processor that has just begun with traffic, and then compares everything with the model. */
async function play(scene: (stage: Stage) => Promise<Processor | undefined>): Promise<void> {
  const names = newRunNames('outage')
  const send = (seed: string) => simulate(services.env, names, { events: EVENTS, seed, encoding: 'mixed' })
  await send('before')
  const processor = await startProcessor(environment(names))
  let last = processor
  try {
    last = (await scene({ names, processor, send })) ?? processor
    await using progress = await watchProgress(services.env.KAFKA_BROKERS, names)
    await progress.caughtUp(180_000)
    await last.stop()
    const report = await compareRun(services.env, names, TOKEN_KEY)
    expect(isRight(report) ? '' : tellReport(report)).toBe('')
  } finally {
    await processor[Symbol.asyncDispose]()
    await last[Symbol.asyncDispose]()
  }
}

/** Not ready but alive, for long enough. */
async function isWaitedOut(processor: Processor): Promise<void> {
  await until(async () => (await processor.answers('/readyz')) === 503, { timeoutMs: 60_000, what: 'it is not ready' })
  await delay(AWAY_MS)
  expect([await processor.answers('/readyz'), await processor.answers('/healthz')]).toEqual([503, 200])
  expect(processor.hasEnded()).toBe(false)
}

const isReady = (processor: Processor) =>
  until(async () => (await processor.answers('/readyz')) === 200, { timeoutMs: 120_000, what: 'it is ready again' })

describe('an outage is waited out: nothing lost, nothing repeated, no dead letter, the same process', () => {
  test(
    'of MongoDB, stopped while records arrive',
    () =>
      play(async ({ processor, send }) => {
        await services.mongodb.stop()
        await send('meanwhile')
        await isWaitedOut(processor)
        await services.mongodb.start()
        await isReady(processor)
        return undefined
      }),
    TIMEOUT_MS,
  )

  test(
    'of MongoDB, hanging',
    () =>
      play(async ({ processor, send }) => {
        await services.mongodb.pause()
        await send('meanwhile')
        await isWaitedOut(processor)
        await services.mongodb.resume()
        await isReady(processor)
        return undefined
      }),
    TIMEOUT_MS,
  )

  test(
    'of Kafka, killed in the middle of the work',
    () =>
      play(async ({ processor, send }) => {
        await services.kafka.kill()
        await isWaitedOut(processor)
        await services.kafka.start()
        await isReady(processor)
        await send('after')
        return undefined
      }),
    TIMEOUT_MS,
  )

  test(
    'of the registry, at the start of a processor that has to decode Avro',
    () =>
      play(async ({ names, processor, send }) => {
        await send('meanwhile')
        await processor.stop()
        await services.registry?.stop()
        const starting = startProcessor(environment(names))
        await delay(AWAY_MS)
        await services.registry?.start()
        return await starting
      }),
    TIMEOUT_MS,
  )
})

test(
  'SIGTERM ends a processor within ten seconds while MongoDB is away',
  () =>
    play(async ({ names, processor, send }) => {
      await services.mongodb.stop()
      await send('meanwhile')
      await until(async () => (await processor.answers('/readyz')) === 503, { timeoutMs: 60_000, what: 'not ready' })
      await processor.stop()
      await services.mongodb.start()
      return await startProcessor(environment(names))
    }),
  TIMEOUT_MS,
)
