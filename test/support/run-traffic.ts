import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { MAIN } from '../../local/build.ts'
import { until } from '../../local/until.ts'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { accountsOf, type Outcomes, sumOf } from './accounting.ts'
import { compareRun, type Report, type RunServices } from './compare.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { type Progress, watchProgress } from './progress.ts'
import { newRunNames, type RunNames } from './run-names.ts'

export interface RunOptions {
  events: number
  /** Of the traffic, and of the moments at which things happen. */
  seed: string
  /** How many times a processor is killed with SIGKILL and started again. */
  kills: number
  /** Most processors at once; with more than one, they join and leave while the records are processed. */
  processors: number
  encoding: 'json' | 'avro' | 'mixed'
  /** Chunk sizes to draw from at each start. */
  chunkRecords: readonly [number, ...number[]]
  say?: (line: string) => void
}

export interface RunOutcome extends Report {
  /** Wall time from the first processor's start until all was committed. */
  seconds: number
  recordsPerSecond: number
  /** Largest of all processors, MiB; null where the system does not tell. */
  peakMemory: number | null
  kills: number
  joins: number
  leaves: number
  /** By the processors that lived to the end. */
  outcomes: Outcomes
}

export const TOKEN_KEY = 'a key for tests, of no other use'
const PATIENCE_MS = 600_000

/** Sends traffic to topics of its own, has processors work on it, disturbs them, and compares what they made. */
export async function runTraffic(services: RunServices, options: RunOptions): Promise<RunOutcome> {
  const names = newRunNames('run')
  const say = options.say ?? (() => undefined)
  await simulate(services, names, options)
  say(`sent ${options.events} records`)
  await using progress = await watchProgress(services.KAFKA_BROKERS, names)
  try {
    const processed = await work(services, names, progress, options)
    say(`processed in ${processed.seconds.toFixed(1)} s; comparing`)
    const { unaccounted, ...rest } = processed
    const report = await compareRun(services, names, TOKEN_KEY)
    return { ...rest, ...report, differences: { ...report.differences, 'records unaccounted for': unaccounted } }
  } finally {
    await progress.cleanUp()
    await dropDatabase(services, names)
  }
}

/**
 * Sends traffic to the topics of a run.
 * @param more options of `simulate` by name, such as `{ spread: 0.5 }`
 */
export async function simulate(
  services: RunServices,
  names: RunNames,
  { events, seed, encoding }: Pick<RunOptions, 'events' | 'seed' | 'encoding'>,
  more: Record<string, string | number> = {},
): Promise<void> {
  const options = { events, seed, encoding, ...more }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const args = [MAIN, 'simulate', ...flags, '--json']
  const env = { PATH: process.env.PATH ?? '', LOG_LEVEL: 'warn', ...services, ...names }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`simulate ended with ${code}: ${complaints}`)
}

type Processed = Omit<RunOutcome, keyof Report> & { unaccounted: number }

async function work(
  services: RunServices,
  names: RunNames,
  progress: Progress,
  options: RunOptions,
): Promise<Processed> {
  const random = createRandom(`${options.seed}, disturbances`)
  const env = { ...services, ...names, CARD_TOKEN_KEY: TOKEN_KEY }
  await using fleet = createFleet(env, options.chunkRecords, random)
  const began = performance.now()
  await fleet.start()
  const disturbed = await disturb(fleet, progress, options, random)
  await progress.caughtUp(PATIENCE_MS)
  const seconds = (performance.now() - began) / 1000
  const accounts = await Promise.all(fleet.members.map(async (member) => accountsOf(await member.metrics())))
  while (fleet.members.length > 0) await fleet.end(0, 'stop')
  const recordsPerSecond = Math.round(options.events / seconds)
  return { seconds, recordsPerSecond, peakMemory: fleet.peakMemory(), ...disturbed, ...sumOf(accounts) }
}

/**
 * Kills, joins and leaves at random moments of the work, each when a drawn share of what is left has been done. Ends
 * early when there is nothing left to disturb.
 */
async function disturb(fleet: Fleet, progress: Progress, options: RunOptions, random: Random) {
  const counts = { kills: 0, joins: 0, leaves: 0 }
  const say = options.say ?? (() => undefined)
  const events = [
    ...Array<'kill'>(options.kills).fill('kill'),
    ...Array<'join or leave'>(2 * (options.processors - 1)).fill('join or leave'),
  ]
  for (let waiting = events.length; waiting > 0; waiting--) {
    const [event] = events.splice(random.int(0, events.length - 1), 1)
    const left = await progress.left()
    if (left === 0) break
    await workedOff(progress, left, (0.3 + 0.7 * random.next()) / (waiting + 1), random)
    if (event === 'kill') {
      await fleet.end(random.int(0, fleet.members.length - 1), 'kill9')
      await fleet.start()
      counts.kills++
    } else if (fleet.members.length < options.processors) {
      await fleet.start()
      counts.joins++
    } else {
      await fleet.end(random.int(0, fleet.members.length - 1), 'stop')
      counts.leaves++
    }
    say(`${event}: ${await progress.left()} records left, ${fleet.members.length} processors`)
  }
  return counts
}

/** Waits until a share of what was left is done, and a moment more, so that it is in the middle of something. */
async function workedOff(progress: Progress, left: number, share: number, random: Random): Promise<void> {
  const what = 'the processors work on'
  await until(async () => (await progress.left()) <= left * (1 - share), { timeoutMs: PATIENCE_MS, what, everyMs: 50 })
  await delay(random.int(0, 250))
}

export async function dropDatabase({ MONGODB_URI }: RunServices, { MONGODB_DATABASE }: RunNames): Promise<void> {
  const client = new MongoClient(MONGODB_URI)
  await client.db(MONGODB_DATABASE).dropDatabase()
  await client.close()
}
