import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { installed, type Package, run } from './install.ts'
import { type NativeService, startService } from './process.ts'

const VERSION = '0.165.0'

const SOURCES = fileURLToPath(new URL('collector', import.meta.url))

const PACKAGE: Package = {
  directory: `otel-collector-${VERSION}`,
  what: `Building the OpenTelemetry Collector ${VERSION} with go build`,
  fill: async (directory) => {
    for (const file of ['main.go', 'go.mod', 'go.sum']) await copyFile(join(SOURCES, file), join(directory, file))
    await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', 'collector', '.'], directory)
  },
}

export interface Collector extends NativeService {
  /** What it took, one OTLP message in JSON each. */
  taken(): Promise<unknown[]>
}

/** An OpenTelemetry Collector as a process of its own, for OTLP over HTTP on loopback. */
export async function startCollector(directory: string, progress: Progress): Promise<Collector> {
  const home = await installed(PACKAGE, progress)
  const [port] = (await freePorts(1)) as [number]
  const output = join(directory, 'collector.json')
  const config = join(directory, 'collector.yaml')
  await writeFile(config, configOf(port, output))
  const address = `http://127.0.0.1:${port}`
  const service = await step(progress, 'Starting the OpenTelemetry Collector', () =>
    startService({
      name: 'the OpenTelemetry Collector',
      command: join(home, 'collector'),
      args: ['--config', `file:${config}`],
      cwd: directory,
      log: join(directory, 'collector.log'),
      address,
      // There is nothing to get, but something that says so.
      answers: async () => (await fetch(address)).status === 404,
    }),
  )
  const taken = async () => {
    const text = await readFile(output, 'utf8').catch(() => '')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown)
  }
  return { ...service, taken }
}

const configOf = (port: number, output: string) => `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { file: { path: ${JSON.stringify(output)}, flush_interval: 100ms } }
service:
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }
`
