import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface Run {
  readonly child: ChildProcess
  /** What it has written so far. */
  stdout(): string
  stderr(): string
  /** Exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Starts the command line as a process of its own. Nothing of this process's environment but PATH reaches it. */
export function startMain(args: string[], env: Record<string, string> = {}, nodeArgs: string[] = []): Run {
  const child = spawn(process.execPath, ['--no-warnings', ...nodeArgs, MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (data: string) => {
    text.stdout += data
  })
  child.stderr?.setEncoding('utf8').on('data', (data: string) => {
    text.stderr += data
  })
  const ended = once(child, 'close').then(([code, signal]: (number | string)[]) => code ?? signal ?? 'unknown')
  return { child, stdout: () => text.stdout, stderr: () => text.stderr, ended }
}

/** Runs the command line to its end. */
export async function runMain(args: string[], env: Record<string, string> = {}, nodeArgs: string[] = []) {
  const run = startMain(args, env, nodeArgs)
  const code = await run.ended
  return { code, stdout: run.stdout(), stderr: run.stderr() }
}
