import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { run } from './install.ts'
import { type NativeService, startService } from './process.ts'
import { assertPresent, type Tool } from './tools.ts'

export const PROMETHEUS: Tool = {
  what: 'Prometheus (prometheus and promtool)',
  remedy: 'prometheus',
  present: () =>
    Promise.all([run('prometheus', ['--version']), run('promtool', ['--version'])]).then(
      () => true,
      () => false,
    ),
}

/** A Prometheus on loopback with this configuration (the text of a prometheus.yml), its data under `directory`. */
export async function startPrometheus(directory: string, configuration: string): Promise<NativeService> {
  await assertPresent([PROMETHEUS])
  const home = join(directory, 'prometheus')
  await mkdir(home)
  const file = join(home, 'prometheus.yml')
  await writeFile(file, configuration)
  const [port] = (await freePorts(1)) as [number]
  const address = `http://127.0.0.1:${port}`
  return startService({
    name: 'Prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(home, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    cwd: home,
    log: join(directory, 'prometheus.log'),
    address,
    answers: async () => (await fetch(`${address}/-/ready`)).ok,
  })
}
