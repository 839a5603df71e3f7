import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../local/build.ts'
import { startPrometheus } from '../../local/native/prometheus.ts'
import { blocksOf } from './page-commands.ts'

export interface Series {
  labels: Record<string, string>
  value: number
}

export interface Alert {
  labels: Record<string, string>
  state: 'pending' | 'firing'
}

/** A Prometheus that watches the program, as docs/how-to/watch.md tells to set it up. */
export interface Prometheus extends AsyncDisposable {
  /** What it says to a query now. @throws with its words where it does not understand it */
  query(expression: string): Promise<Series[]>
  /** Values of a label of the series that a selector names. */
  valuesOf(label: string, selector: string): Promise<string[]>
  /** Alerts that wait to fire, or do. */
  alerts(): Promise<Alert[]>
  /** Every expression of its rules, and what was wrong when it was last evaluated. */
  rules(): Promise<{ name: string; query: string; lastError?: string }[]>
}

interface Watched {
  /** host:port of `process`, and of `serve`. */
  process: string
  serve: string
  /** What `serve` wants to see. */
  key: string
}

/** Alerts wait so long instead of minutes: a test has none. */
const FOR = '3s'

/** @param watched what to scrape, every second */
export async function watchWithPrometheus({ process, serve, key }: Watched): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'prometheus-'))
  const rules = join(directory, 'parking')
  await mkdir(rules)
  for (const name of await rulesFiles()) {
    const text = await readFile(join(ROOT, 'helm/rules', name), 'utf8')
    await writeFile(join(rules, name), text.replaceAll(/^( +for: ).*$/gm, `$1${FOR}`))
  }
  await writeFile(join(directory, 'parking-key'), key, { mode: 0o600 })
  const shown = blocksOf('docs/how-to/watch.md').find(({ text }) => text.startsWith('# prometheus.yml'))?.text ?? ''
  const configuration = shown
    .replace('localhost:9464', process)
    .replace('localhost:8080', serve)
    .replaceAll('/etc/prometheus/', `${directory}/`)
  const service = await startPrometheus(
    directory,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }\n${configuration}`,
  )
  const ask = async (path: string, parameters: Record<string, string>) => {
    const response = await fetch(`${service.address}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const { data, error } = (await response.json()) as { data: unknown; error?: string }
    if (error !== undefined) throw new Error(`${error}: ${JSON.stringify(parameters)}`)
    return data
  }
  return {
    async query(expression) {
      const { resultType, result } = (await ask('query', { query: expression })) as Answer
      if (resultType === 'scalar') return [{ labels: {}, value: Number(result[1]) }]
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    valuesOf: async (label, selector) => (await ask(`label/${label}/values`, { 'match[]': selector })) as string[],
    alerts: async () => ((await ask('alerts', {})) as { alerts: Alert[] }).alerts,
    async rules() {
      const { groups } = (await ask('rules', {})) as { groups: { rules: Awaited<ReturnType<Prometheus['rules']>> }[] }
      return groups.flatMap((group) => group.rules)
    },
    async [Symbol.asyncDispose]() {
      await service.discard()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

type Answer =
  | { resultType: 'scalar'; result: [number, string] }
  | { resultType: 'vector'; result: { metric: Record<string, string>; value: [number, string] }[] }

export const rulesFiles = async (): Promise<string[]> =>
  (await readdir(join(ROOT, 'helm/rules'))).filter((name) => name.endsWith('.yaml'))
