import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MAIN } from '../../local/build.ts'
import * as guard from '../../local/native/guard.ts'
import { type Sample, scrape } from '../../local/scrape.ts'
import { until } from '../../local/until.ts'

/** A running command of ours that goes on until a signal. */
export interface Service extends AsyncDisposable {
  /** Its process id; it may have ended. */
  readonly pid: number
  /** Where it listens; empty until it says so. */
  readonly url: string
  /** Samples of `/metrics`. */
  metrics(): Promise<Sample[]>
  /** `kill -9`. */
  kill9(): Promise<void>
  /** Sends a signal: `SIGSTOP` freezes it, `SIGCONT` lets it go on. */
  signal(name: NodeJS.Signals): void
  /** SIGTERM. @throws when it does not end within ten seconds, or with another code than 0. */
  stop(): Promise<void>
  /** The end of its log. */
  log(): string
  /** Whether it has ended, by itself or not. */
  hasEnded(): boolean
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

const READY_MS = 90_000
const STOP_MS = 10_000
const LOG_CHARACTERS = 20_000

/** What is started, and as whom. */
export interface Program {
  node: string
  main: string
  uid?: number
}

const BUILT: Program = { node: process.execPath, main: MAIN }

/** How each says in its log where it listens. */
const PORTS = { process: /"port":(\d+)/, serve: /"port":(\d+),"msg":"serving/ }

/** Starts a command of the program. Nothing of this process's environment but PATH reaches it. */
export function launchService(
  command: keyof typeof PORTS,
  env: Record<string, string>,
  { node, main, uid }: Program = BUILT,
): Service {
  const child = spawn(node, [main, command], {
    ...(uid !== undefined && { uid, gid: uid }),
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that it ends with this process, however that ends
  })
  const { pid } = child
  if (pid !== undefined) {
    guard.watch(pid)
    child.once('exit', () => guard.forget(pid))
  }
  let log = ''
  let url = ''
  const ended: Service['ended'] = once(child, 'close').then(([code, signal]) => code ?? signal)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_CHARACTERS)
      const found = url === '' ? PORTS[command].exec(log)?.[1] : undefined
      if (found !== undefined) url = `http://127.0.0.1:${found}`
    })
  }
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const kill9 = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    pid: pid ?? 0,
    get url() {
      return url
    },
    metrics: () => scrape(`${url}/metrics`),
    kill9,
    signal: (name) => {
      child.kill(name)
    },
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const end = await ended
      clearTimeout(late)
      if (end !== 0) throw new Error(`${command} ended with ${end} after SIGTERM:\n${log}`)
    },
    log: () => log,
    hasEnded,
    ended,
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) await kill9()
    },
  }
}

/** @throws with its log, and it is ended, when that does not come. */
export async function untilReady(service: Service, what: string, look: () => Promise<boolean>): Promise<void> {
  try {
    await until(async () => service.hasEnded() || (service.url !== '' && (await look())), {
      timeoutMs: READY_MS,
      what: `the ${what} is ready`,
    })
    if (service.hasEnded()) throw new Error(`The ${what} ended at its start`)
  } catch (error) {
    await service[Symbol.asyncDispose]()
    throw new Error(`${(error as Error).message}\n${service.log()}`)
  }
}
