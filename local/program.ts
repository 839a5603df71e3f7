import { join } from 'node:path'
import { MAIN, ROOT } from './build.ts'
import { lastLines, type NativeService, startService } from './native/process.ts'
import { freePorts, isFree } from './ports.ts'
import { type Progress, step } from './progress.ts'
import type { Services } from './services.ts'

/** The program at work: the processor, the read side and its page, and simulated traffic. */
export interface Running {
  /** Where `/metrics`, `/healthz` and `/readyz` of the processor are. */
  url: string
  /** Where the read side answers, and shows its page. */
  pageUrl: string
  logs: string[]
  /** Settings with which any other command of the program joins in. */
  env: Record<string, string>
  /** Throws when one of them has ended by itself; the message has the end of its log. */
  assertAlive(): Promise<void>
  /** Traffic first, so that the processor can finish what is there. */
  stop(progress: Progress): Promise<void>
}

const METRICS_PORT = 9464
const SERVE_PORT = 8080

interface Part {
  name: string
  log: string
  service: NativeService
}

export async function runProgram(services: Services, traffic: { rate: number }, progress: Progress): Promise<Running> {
  const env: Record<string, string> = { ...services.env }
  const port = Number(process.env.HTTP_PORT) || (await portNear(METRICS_PORT))
  const servePort = Number(process.env.SERVE_PORT) || (await portNear(SERVE_PORT))
  const url = `http://127.0.0.1:${port}`
  const pageUrl = `http://127.0.0.1:${servePort}`
  const parts: Part[] = []
  const launch = async (
    name: string,
    args: string[],
    extra: Record<string, string>,
    answers: () => Promise<boolean>,
  ) => {
    const log = join(services.directory, `${args[0]}.log`)
    const command = { command: process.execPath, args: [MAIN, ...args], cwd: ROOT, env: { ...env, ...extra }, log }
    parts.push({ name, log, service: await startService({ name, address: url, answers, ...command }) })
  }
  const stop = async (tell: Progress) => {
    for (const { name, service } of [...parts].reverse()) await step(tell, `Stopping ${name}`, () => service.stop())
  }
  try {
    const atPort = { HTTP_HOST: '127.0.0.1', HTTP_PORT: String(port) }
    await step(progress, 'Starting the processor', () =>
      launch('the processor', ['process'], atPort, () => isReady(url)),
    )
    const atServePort = { SERVE_HOST: '127.0.0.1', SERVE_PORT: String(servePort) }
    await step(progress, 'Starting the read side', () =>
      launch('the read side', ['serve'], atServePort, () => isReady(pageUrl)),
    )
    if (traffic.rate > 0) await launch('the traffic', trafficArguments(traffic.rate, env), {}, async () => true)
  } catch (error) {
    await stop(progress)
    throw error
  }
  return { url, pageUrl, logs: parts.map(({ log }) => log), env, stop, assertAlive: () => assertAlive(parts) }
}

/** The usual port, or another where that is taken. */
async function portNear(usual: number): Promise<number> {
  if (await isFree(usual)) return usual
  const [port] = (await freePorts(1)) as [number]
  return port
}

function trafficArguments(rate: number, env: Record<string, string>): string[] {
  const seed = `start-${Date.now()}` // a second start on the same broker brings new sessions
  const encoding = env.SCHEMA_REGISTRY_URL === undefined ? 'json' : 'mixed'
  return ['simulate', '--events', '0', '--rate', String(rate), '--seed', seed, '--encoding', encoding]
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })
  await response.body?.cancel()
  return response.ok
}

async function assertAlive(parts: Part[]): Promise<void> {
  for (const { name, log, service } of parts) {
    if (service.isRunning()) continue
    throw new Error(`${name} has ended by itself. The end of its log:\n${await lastLines(log)}`)
  }
}
