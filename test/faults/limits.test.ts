import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { removeAtEnd } from '../../local/native/guard.ts'
import { run } from '../../local/native/install.ts'
import { memoryOf } from '../../local/proc.ts'
import { compareRun, isRight, type RunServices, tellReport } from '../support/compare.ts'
import { isWaiting, type Processor, startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { makeTopics } from '../support/run-topics.ts'
import { dropDatabase, simulate, TOKEN_KEY } from '../support/run-traffic.ts'
import { sharedServices, until } from '../support/services.ts'
import { startMongodbOnSmallDisk } from '../support/small-disk.ts'

const TIMEOUT_MS = 180_000
const PATIENCE_MS = 60_000
/** Longer than one look for a server takes. */
const AWAY_MS = 8_000
const RECORDS = 1_500

interface Stage {
  /** Starts a processor and waits until it is ready. */
  start(): Promise<Processor>
  send(seed: string): Promise<void>
}

/** Plays a scene, has the processor that it gives back finish, and compares everything with the model. */
async function play(services: RunServices, scene: (stage: Stage) => Promise<Processor>): Promise<void> {
  const names = newRunNames('limit')
  const brokers = services.KAFKA_BROKERS
  await makeTopics(brokers, names, { inputPartitions: 2, lanes: 2 })
  const started: Processor[] = []
  const start = async () => {
    const processor = await startProcessor({ ...services, ...names, CARD_TOKEN_KEY: TOKEN_KEY })
    started.push(processor)
    return processor
  }
  await using progress = await watchProgress(brokers, names)
  try {
    const send = (seed: string) => simulate(services, names, { events: RECORDS, seed, encoding: 'mixed' })
    const last = await scene({ start, send })
    await progress.caughtUp(PATIENCE_MS)
    await last.stop()
    const report = await compareRun(services, names, TOKEN_KEY)
    expect(isRight(report) ? '' : tellReport(report)).toBe('')
    expect(report.figures.records).toBeGreaterThanOrEqual(RECORDS)
  } finally {
    for (const processor of started) await processor[Symbol.asyncDispose]()
    await progress.cleanUp()
    await dropDatabase(services, names)
  }
}

describe('a limit of the machine is reached: a clear end, and all is right when there is room again', () => {
  test(
    'the disk of MongoDB is full: mongod ends, the program waits',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'pm-parking-events-'))
      removeAtEnd(directory)
      const mongodb = await startMongodbOnSmallDisk(directory)
      try {
        await play({ ...sharedServices().env, MONGODB_URI: mongodb.service.address }, async ({ start, send }) => {
          const processor = await start()
          await send('before')
          await mongodb.fill()
          await send('meanwhile')
          const hasEnded = () => !mongodb.service.isRunning()
          await until(hasEnded, { timeoutMs: PATIENCE_MS, what: 'mongod ends' })
          expect(await readFile(mongodb.log, 'utf8')).toMatch(/No space left on device|File too large/)
          await send('when it has ended')
          await until(() => isWaiting(processor), { timeoutMs: PATIENCE_MS, what: 'the program waits' })
          expect(processor.log()).toMatch(/waiting for mongodb/)
          await delay(AWAY_MS)
          await mongodb.service.start()
          return processor
        })
      } finally {
        await mongodb.service.discard()
      }
    },
    TIMEOUT_MS,
  )

  test(
    'the memory of the program is full: it ends and says why, and another goes on',
    () =>
      play(sharedServices().env, async ({ start, send }) => {
        const processor = await start()
        await send('enough')
        // All of it waits, so that there are whole chunks in work when it ends.
        processor.signal('SIGSTOP')
        for (let part = 1; part <= 3; part++) await send(`too much, part ${part}`)
        await limitMemory(processor, 12)
        processor.signal('SIGCONT')
        const hasEnded = () => processor.hasEnded()
        await until(hasEnded, { timeoutMs: PATIENCE_MS, what: 'the program ends' })
        expect(await processor.ended).not.toBe(0)
        expect(processor.log()).toMatch(/out of memory/)
        return await start()
      }),
    TIMEOUT_MS,
  )
})

/** From now on it gets so many MiB more than it has. */
async function limitMemory({ pid }: Processor, more: number): Promise<void> {
  const bytes = (memoryOf(pid).VmData + more) * 1_048_576
  await run('prlimit', ['--pid', String(pid), `--data=${bytes}`])
}
