import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { MAIN } from '../../local/build.ts'
import * as guard from '../../local/native/guard.ts'
import { type Sample, scrape } from '../../local/scrape.ts'
import { until } from '../../local/until.ts'

/** A running `serve`, as its clients and its operator see it. */
export interface ReadSide extends AsyncDisposable {
  readonly pid: number
  readonly url: string
  /** The body of a JSON answer, with its status and headers. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  metrics(): Promise<Sample[]>
  kill9(): Promise<void>
  /** SIGTERM. @throws when it does not end within ten seconds, or with another code than 0. */
  stop(): Promise<void>
  /** The end of its log. */
  log(): string
  readonly ended: Promise<number | NodeJS.Signals>
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  body: any
}

const READY_MS = 90_000
const STOP_MS = 10_000
const LOG_CHARACTERS = 20_000

/** Starts the built `serve` and waits until it is ready. Nothing of this process's environment but PATH reaches it. */
export async function startReadSide(env: Record<string, string>, { ready = true } = {}): Promise<ReadSide> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { PATH: process.env.PATH ?? '', SERVE_PORT: '0', SERVE_RATE_LIMIT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that it ends with this process, however that ends
  })
  const { pid } = child
  if (pid !== undefined) {
    guard.watch(pid)
    child.once('exit', () => guard.forget(pid))
  }
  const side = readSideOf(child)
  try {
    const look = async () =>
      side.hasEnded() || (side.url !== '' && (!ready || (await side.get('/readyz')).status === 200))
    await until(look, { timeoutMs: READY_MS, what: 'the read side is ready' })
    if (side.hasEnded()) throw new Error('The read side ended at its start')
  } catch (error) {
    await side[Symbol.asyncDispose]()
    throw new Error(`${(error as Error).message}\n${side.log()}`)
  }
  return side
}

function readSideOf(child: ChildProcess): ReadSide & { hasEnded(): boolean } {
  let log = ''
  let port: number | undefined
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_CHARACTERS)
      port ??= Number(/"port":(\d+),"msg":"serving/.exec(log)?.[1] ?? Number.NaN) || undefined
    })
  }
  const url = () => (port === undefined ? '' : `http://127.0.0.1:${port}`)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const kill9 = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    pid: child.pid ?? 0,
    get url() {
      return url()
    },
    get: (path, headers = {}) => ask(url() + path, { headers }),
    post: (path, body, headers = {}) =>
      ask(url() + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    metrics: () => scrape(`${url()}/metrics`),
    kill9,
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const end = await ended
      clearTimeout(late)
      if (end !== 0) throw new Error(`The read side ended with ${end} after SIGTERM:\n${log}`)
    },
    log: () => log,
    ended,
    hasEnded,
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) await kill9()
    },
  }
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}
