/** `health`: asks the program that runs on this machine how it is. For health checks of containers, whose images have no other client. */
import type { Report as HealthReport } from '../operate/health.ts'
import { readSettings } from '../settings.ts'
import { CommandError, print, printHelp, readArguments } from './command-line.ts'

export const help = `Usage: pm-parking-events health [--ready]

Asks the "process" and the "serve" that run on this machine, by HTTP_HOST and HTTP_PORT, SERVE_HOST and SERVE_PORT, whether
they are alive. Exits with 0 when all that answer are, and with 1 when one is not, or none answers.

Options:
  --ready     whether they are ready
  -h, --help  this text

Example:
  HTTP_PORT=9464 pm-parking-events health --ready`

const TIMEOUT_MS = 3_000

export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments(argv, { ready: { type: 'boolean' } })
  if (values.help) return printHelp(help)
  const { http, serve } = readSettings(undefined, { needs: [] })
  const path = values.ready ? '/readyz' : '/healthz'
  const urls = { process: urlOf(http, path), serve: urlOf(serve, path) }
  const reports = await Promise.all(Object.entries(urls).map(([name, url]) => ask(name, url)))
  const heard = reports.filter((report) => report !== null)
  if (heard.length === 0) throw new CommandError(`nothing answers at ${urls.process}, nor at ${urls.serve}`)
  for (const { name, status, missing } of heard) print(`${name} is ${status}${missing && `: ${missing}`}`)
  return heard.every(({ isGood }) => isGood) ? 0 : 1
}

/** Who listens at all addresses is asked at loopback. */
function urlOf({ host, port }: { host: string; port: number }, path: string): string {
  const asked = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${asked.includes(':') ? `[${asked}]` : asked}:${port}${path}`
}

interface Report {
  name: string
  status: string
  missing: string
  isGood: boolean
}

/** Null: nobody listens there, or somebody else. */
async function ask(name: string, url: string): Promise<Report | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { status, conditions = {} } = (await response.json()) as Body
    if (!STATUSES.has(status)) return null
    const unmet = Object.entries(conditions).filter(([, { ok }]) => !ok)
    const missing = unmet.map(([condition, { detail }]) => condition + (detail ? ` (${detail})` : '')).join(', ')
    return { name, status, missing, isGood: response.ok }
  } catch (error) {
    const isLate = (error as Error).name === 'TimeoutError'
    return isLate ? { name, status: `silent for ${TIMEOUT_MS / 1_000} s`, missing: '', isGood: false } : null
  }
}

const STATUSES: ReadonlySet<string> = new Set(['alive', 'dead', 'ready', 'not ready'])

type Body = { status: string } & Partial<HealthReport>
