import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MAIN } from '../../local/build.ts'
import { forget, watch } from '../../local/native/guard.ts'
import type { RunServices } from './compare.ts'
import type { RunNames } from './run-names.ts'

/** Records that keep coming until somebody has seen enough. */
export interface SteadyTraffic {
  /** Ends it, once all that it sent is acknowledged. @throws when it ended by itself before */
  stop(): Promise<void>
}

/** More than any test lets come. */
const MOST_RECORDS = 100_000

/** Sessions go on and end in it as in `simulate --events`, at so many records a second. */
export function startTraffic(
  services: RunServices,
  names: RunNames,
  { rate, seed, encoding }: { rate: number; seed: string; encoding: 'json' | 'mixed' },
): SteadyTraffic {
  const options = { events: MOST_RECORDS, rate, seed, encoding }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn(process.execPath, [MAIN, 'simulate', ...flags, '--json'], {
    env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'warn', ...services, ...names },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a group of its own, so that it ends with this process
  })
  const { pid } = child
  if (pid !== undefined) watch(pid)
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints += text
  })
  const closed = once(child, 'close').finally(() => {
    if (pid !== undefined) forget(pid)
  })
  return {
    async stop() {
      const endedBefore = child.exitCode !== null || child.signalCode !== null
      child.kill('SIGTERM')
      const [code] = await closed
      if (endedBefore || (code !== 0 && code !== 143)) throw new Error(`simulate ended with ${code}: ${complaints}`)
    },
  }
}
