/**
 * What traces cost where they are off, and where they are on: both walks with nothing behind them, a process for each run, the
 * modes in turn. With the directory of another build (`dist` and `node_modules` in it) that is measured beside this one.
 *
 *   npm run build && node bench/traces.ts [DIRECTORY] [ROUNDS]
 */
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const [other, rounds = '9'] = process.argv.slice(2)
const HERE = fileURLToPath(new URL('..', import.meta.url))
const WALK = fileURLToPath(new URL('traces/walk.ts', import.meta.url))
// No garbage is collected within a chunk, so what a chunk allocates can be seen.
const FLAGS = ['--no-warnings', '--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
const execute = promisify(execFile)

const collector = createServer((request, response) => request.resume().on('end', () => response.end()))
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`

interface Variant {
  name: string
  directory: string
  mode: string
  runs: { micros: number; bytes: number }[]
}

const OFF = ['off', 'off, all records with context']
const variants: Variant[] = [
  ...(other ? OFF.map((mode) => ({ name: `other build, ${mode}`, directory: other, mode, runs: [] })) : []),
  ...[...OFF, 'on', 'on, 1 %', 'on, all'].map((mode) => ({ name: mode, directory: HERE, mode, runs: [] })),
]
for (let round = 0; round < Number(rounds); round++) {
  for (let i = 0; i < variants.length; i++) {
    const { directory, mode, runs } = variants[(i + round) % variants.length] as Variant
    const { stdout } = await execute(process.execPath, [...FLAGS, WALK, directory, mode, endpoint])
    runs.push(JSON.parse(stdout))
  }
}
collector.close()

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] as number
for (const { name, runs } of variants) {
  const micros = median(runs.map((run) => run.micros)).toFixed(2)
  const bytes = Math.round(median(runs.map((run) => run.bytes)))
  process.stdout.write(`${name.padEnd(44)} ${micros} µs a record, ${bytes} bytes allocated\n`)
}
