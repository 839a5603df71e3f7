import { join } from 'node:path'
import { type NativeService, startService } from '../local/native/process.ts'
import { freePorts } from '../local/ports.ts'
import { type Sample, scrape, total } from '../local/scrape.ts'
import type { Progress } from './window.ts'

/** Where a deployment of ours works: settings of its own, so that no run meets what another left. */
export interface Deployment {
  observations: string
  status: string
  database: string
  group: string
  /** Its store of heads. */
  stateDirectory: string
}

/** How it runs this time. */
export interface Launching {
  /** Topics of events, separated by commas. */
  events: string
  processes?: number
  /** Settings beside those of the deployment. */
  env?: Record<string, string>
}

export interface Ours {
  pids: number[]
  /** Whether it has joined its groups and all its lanes are open. */
  isReady(): Promise<boolean>
  progress(): Promise<Progress>
  samples(): Promise<Sample[]>
  /** SIGTERM, as an operator stops it. */
  stop(): Promise<void>
}

export interface Program {
  main: string
  directory: string
  /** Settings that name the services. */
  env: Record<string, string>
}

export const RESPONSES = 'bench.responses'
export const DEAD_LETTERS = 'bench.dead-letters'
export const COLLECTION = 'pm_parking_events'

/** As the Helm chart starts it: V8 would let the young generation grow to 128 MB where there is memory. */
const NODE_FLAGS = ['--max-semi-space-size=8']

/** The built program as an operator runs it, in one or more processes that share the work. */
export async function startOurs(program: Program, deployment: Deployment, launching: Launching): Promise<Ours> {
  const { processes = 1 } = launching
  const started: NativeService[] = []
  const stop = async () => {
    for (const service of started) await service.stop()
  }
  try {
    const ports = await freePorts(processes)
    for (const [index, port] of ports.entries()) {
      started.push(
        await startOne(
          program,
          { ...deployment, stateDirectory: `${deployment.stateDirectory}-${index}` },
          launching,
          port,
        ),
      )
    }
  } catch (error) {
    await stop()
    throw error
  }
  const samples = async () => (await Promise.all(started.map(({ address }) => scrape(`${address}/metrics`)))).flat()
  const isReady = async () =>
    (await Promise.all(started.map(({ address }) => fetch(`${address}/readyz`)))).every(({ ok }) => ok)
  const pids = await Promise.all(started.map(async (service) => (await service.pid()) as number))
  return {
    pids,
    isReady,
    samples,
    stop,
    progress: lastKnown(started, samples, processes === 1 ? progressOf : progressOfSeveral),
  }
}

function startOne(
  { main, directory, env }: Program,
  deployment: Deployment,
  launching: Launching,
  port: number,
): Promise<NativeService> {
  const address = `http://127.0.0.1:${port}`
  return startService({
    name: 'the processor',
    command: process.execPath,
    args: [...NODE_FLAGS, main, 'process'],
    cwd: directory,
    env: {
      ...env,
      EVENTS_TOPICS: launching.events,
      RESPONSES_TOPICS: RESPONSES,
      OBSERVATIONS_TOPIC: deployment.observations,
      STATUS_TOPIC: deployment.status,
      DEAD_LETTER_TOPIC: DEAD_LETTERS,
      MONGODB_DATABASE: deployment.database,
      MONGODB_COLLECTION: COLLECTION,
      KAFKA_GROUP_ID: deployment.group,
      STATE_DIR: deployment.stateDirectory,
      CARD_TOKEN_KEY: 'a key for the bench and for nothing else',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(port),
      LOG_LEVEL: 'info',
      ...launching.env,
    },
    log: join(directory, `${deployment.group}-${port}.log`),
    address,
    answers: async () => (await fetch(`${address}/healthz`, { signal: AbortSignal.timeout(2_000) })).ok,
  })
}

/** A program that is too busy to answer in time has what it had; one that has ended is an error. */
function lastKnown(
  started: NativeService[],
  samples: Ours['samples'],
  progressOf: (samples: Sample[]) => Progress,
): Ours['progress'] {
  let last: Progress = { begun: 0, done: 0 }
  return async () => {
    if (!started.every((service) => service.isRunning())) throw new Error('The processor ended by itself')
    last = await samples().then(progressOf, () => last)
    return last
  }
}

/** Ingest has begun a record when its chunk is committed; all is done when the lanes have judged what ingest sent. */
function progressOf(samples: Sample[]): Progress {
  const begun = total(samples, 'pm_records_consumed_total', { stage: 'ingest' })
  const sent = total(samples, 'pm_observations_total', { result: 'sent' })
  const judged = total(samples, 'pm_observations_total', { result: ['published', 'older', 'expired'] })
  return { begun, done: begun - Math.max(0, sent - judged) }
}

/**
 * Of several processes that join one after another, the next begins anew what the one before had not committed; only what
 * is published counts once. For traffic in which each record makes an update.
 */
function progressOfSeveral(samples: Sample[]): Progress {
  const begun = total(samples, 'pm_records_consumed_total', { stage: 'ingest' })
  return { begun, done: total(samples, 'pm_observations_total', { result: 'published' }) }
}
