import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { run } from './install.ts'
import { type NativeService, startService } from './process.ts'

/** @throws where Prometheus, or its promtool, is not on this machine; with the remedy. */
export async function assertPrometheus(): Promise<void> {
  const missing =
    'No Prometheus on the PATH: install it with its promtool (on Debian or Ubuntu: apt-get install prometheus)'
  await Promise.all(['prometheus', 'promtool'].map((program) => run(program, ['--version']))).catch((cause) => {
    throw new Error(missing, { cause })
  })
}

/** A Prometheus on loopback with this configuration (the text of a prometheus.yml), its data under `directory`. */
export async function startPrometheus(directory: string, configuration: string): Promise<NativeService> {
  await assertPrometheus()
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
