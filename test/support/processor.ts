import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { MAIN } from '../../local/build.ts'
import * as guard from '../../local/native/guard.ts'
import { run } from '../../local/native/install.ts'
import { memoryOf } from '../../local/proc.ts'
import { type Sample, scrape } from '../../local/scrape.ts'
import { until } from '../../local/until.ts'

/** A running `process`, as its operator sees it. */
export interface Processor extends AsyncDisposable {
  /** Its KAFKA_CLIENT_ID, where that was given. */
  readonly clientId: string | undefined
  /** Its process id; it may have ended. */
  readonly pid: number
  /** Samples of `/metrics`. */
  metrics(): Promise<Sample[]>
  /** Status code of a path of its ops server. */
  answers(path: '/readyz' | '/healthz'): Promise<number>
  /** `kill -9`. */
  kill9(): Promise<void>
  /** Sends a signal: `SIGSTOP` freezes it, `SIGCONT` lets it go on. */
  signal(name: NodeJS.Signals): void
  /** Whether SIGSTOP holds it, from us or from itself. */
  isFrozen(): Promise<boolean>
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** SIGTERM. @throws when it does not end within ten seconds, or with another code than 0. */
  stop(): Promise<void>
  /** Peak resident memory in MiB so far; null where the system does not tell. */
  peakMemory(): Promise<number | null>
  /** The end of its log. */
  log(): string
  /** Whether it has ended, by itself or not. */
  hasEnded(): boolean
}

const READY_MS = 90_000
const STOP_MS = 10_000
const LOG_CHARACTERS = 20_000

/** Starts the built processor and waits until it is ready. Nothing of this process's environment but PATH reaches it. */
export async function startProcessor(env: Record<string, string>): Promise<Processor> {
  const processor = launchProcessor(env)
  await isReady(processor)
  return processor
}

/** Whether it waits for something: not ready, and nothing that a restart would mend. */
export const isWaiting = async (processor: Processor): Promise<boolean> =>
  (await processor.answers('/readyz')) === 503 && (await processor.answers('/healthz')) === 200

/** Waits until it is ready. @throws with its log, and it is ended, when that does not come */
export async function isReady(processor: Processor): Promise<void> {
  const look = async () => processor.hasEnded() || (await processor.answers('/readyz')) === 200
  try {
    await until(look, { timeoutMs: READY_MS, what: 'the processor is ready' })
    if (processor.hasEnded()) throw new Error('The processor ended at its start')
  } catch (error) {
    await processor[Symbol.asyncDispose]()
    throw new Error(`${(error as Error).message}\n${processor.log()}`)
  }
}

/** The same without any waiting, for one that may not live long. */
export function launchProcessor(env: Record<string, string>): Processor {
  const child = spawn(process.execPath, [MAIN, 'process'], {
    env: { PATH: process.env.PATH ?? '', HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that it ends with this process, however that ends.
    detached: true,
  })
  const { pid } = child
  if (pid !== undefined) {
    guard.watch(pid)
    child.once('exit', () => guard.forget(pid))
  }
  return processorOf(child, env.KAFKA_CLIENT_ID)
}

function processorOf(child: ChildProcess, clientId: string | undefined): Processor {
  let log = ''
  let port: number | undefined
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_CHARACTERS)
      port ??= Number(/"port":(\d+)/.exec(log)?.[1] ?? Number.NaN) || undefined
    })
  }
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const url = () => `http://127.0.0.1:${port}`
  const kill9 = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    clientId,
    pid: child.pid ?? 0,
    hasEnded,
    kill9,
    ended,
    signal: (name) => {
      child.kill(name)
    },
    isFrozen: async () => (await run('ps', ['-o', 'state=', '-p', String(child.pid)])).startsWith('T'),
    log: () => log,
    metrics: () => scrape(`${url()}/metrics`),
    answers: async (path) => (await fetch(url() + path)).status,
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const end = await ended
      clearTimeout(late)
      if (end !== 0) throw new Error(`The processor ended with ${end} after SIGTERM:\n${log}`)
    },
    peakMemory: () => peakMemoryOf(child.pid),
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) await kill9()
    },
  }
}

async function peakMemoryOf(pid: number | undefined): Promise<number | null> {
  try {
    const peak = memoryOf(pid ?? 0).VmHWM
    return Number.isNaN(peak) ? null : peak
  } catch {
    return null
  }
}
