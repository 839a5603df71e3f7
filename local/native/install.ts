import { spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Progress, step } from '../progress.ts'
import { forget, watch } from './guard.ts'

export interface Package {
  /** Name and version: its directory in the cache. */
  directory: string
  /** As progress lines name it, for example `Downloading Apache Kafka 4.1.1 (55 MB) from Maven Central`. */
  what: string
  /** Fills an empty directory. */
  fill: (directory: string) => Promise<void>
}

const cache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'pm-parking-events')

const PARTIAL = '.partial-'
const STALE_MS = 24 * 3_600_000

export const isInstalled = (directory: string): Promise<boolean> =>
  access(join(cache(), directory)).then(
    () => true,
    () => false,
  )

/**
 * The directory of an installed package; installs it when it is missing. A package appears whole, by a rename, or not
 * at all; of two that install at once, one wins and the other takes what is there.
 */
export async function installed({ directory, what, fill }: Package, progress: Progress): Promise<string> {
  const target = join(cache(), directory)
  if (await isInstalled(directory)) return target
  await mkdir(cache(), { recursive: true })
  await removeStale()
  const partial = await mkdtemp(join(cache(), PARTIAL))
  try {
    await step(progress, what, () => fill(partial))
    await rename(partial, target).catch(async (error) => {
      if (!(await isInstalled(directory))) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return target
}

/** What an install that was killed left behind. */
async function removeStale(): Promise<void> {
  for (const name of await readdir(cache())) {
    if (!name.startsWith(PARTIAL)) continue
    const path = join(cache(), name)
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}

/** Runs a command to its end and gives its output; an error carries the last lines of it. */
export function run(command: string, args: string[], cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (bytes: Buffer) => {
      output = (output + bytes).slice(-20_000)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', (error) => reject(new Error(`Cannot run ${command}: ${error.message}`)))
    const { pid } = child
    if (pid !== undefined) watch(pid)
    child.once('close', (code, signal) => {
      if (pid !== undefined) forget(pid)
      if (code === 0) return resolve(output)
      const end = output.trimEnd().split('\n').slice(-15).join('\n')
      reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}:\n${end}`))
    })
  })
}
