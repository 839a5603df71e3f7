import { spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Progress, step } from './progress.ts'

/** The checkout. */
export const ROOT = join(import.meta.dirname, '..')
/** The program as it is built. */
export const MAIN = join(ROOT, 'dist', 'main.js')

const INPUTS = ['src', 'web', 'schemas', 'package.json', 'tsconfig.json', 'tsconfig.build.json']

/** Builds `dist` when it is missing or older than any source. Throws with the compiler's own words. */
export async function build(progress: Progress): Promise<void> {
  const built = await newest(MAIN)
  const sources = await Promise.all(INPUTS.map((input) => newest(join(ROOT, input))))
  if (built > Math.max(...sources)) return
  await step(progress, 'Building dist', async () => {
    await run('vite/bin/vite.js', ['build', 'web', '--logLevel', 'warn'])
    await run('typescript/bin/tsc', ['-p', 'tsconfig.build.json']) // last: what it writes tells the age of all
  })
}

/** Runs a program of node_modules. */
function run(path: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', path), ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (bytes) => {
      output += bytes
    })
    child.stderr.on('data', (bytes) => {
      output += bytes
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`The build failed (${path} ended with ${code}):\n${output.trimEnd()}`))
    })
  })
}

/**
 * When a path, or the newest file or folder under it, was changed, in epoch milliseconds; 0 when there is none. A file that was moved to
 * where it is may be old, and its folder tells.
 */
async function newest(path: string): Promise<number> {
  const found = await stat(path).catch(() => null)
  if (found === null) return 0
  if (!found.isDirectory()) return found.mtimeMs
  const inside = await Promise.all((await readdir(path)).map((name) => newest(join(path, name))))
  return Math.max(found.mtimeMs, ...inside)
}
