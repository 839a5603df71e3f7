import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { OwnService } from '../controllable.ts'
import { until } from '../until.ts'
import { forget, watch } from './guard.ts'
import { run } from './install.ts'

export interface Launch {
  /** As messages name it. */
  name: string
  command: string
  args: string[]
  cwd: string
  env?: Record<string, string>
  /** File that takes its output, appended. */
  log: string
  /** One look at whether it answers. */
  answers: () => Promise<boolean>
  /** Where clients find it. */
  address: string
}

const READY_MS = 180_000
/** How long a service may take to end in good order before it is killed. */
const STOP_MS = 20_000

export interface NativeService extends OwnService {
  pid(): Promise<number | null>
  /** False when it has ended, by itself or by our doing. */
  isRunning(): boolean
}

/** Starts a service as a process group of its own and returns when it answers. */
export async function startService(launch: Launch): Promise<NativeService> {
  let child: ChildProcess | null = null

  /** Null when it does not run. */
  const runningPid = () => (child === null || hasEnded(child) ? null : (child.pid ?? null))
  const signal = (name: NodeJS.Signals) => {
    if (child?.pid !== undefined) signalGroup(child.pid, name)
  }
  const end = async (name: NodeJS.Signals) => {
    if (child === null) return
    const ending = child
    signal(name)
    signal('SIGCONT')
    if (!(await ended(ending, STOP_MS))) {
      signal('SIGKILL')
      await ended(ending, STOP_MS)
    }
    child = null
  }
  const start = async () => {
    if (runningPid() !== null) return
    child = spawnLogged(launch)
    await answering(child, launch).catch(async (error) => {
      await end('SIGKILL')
      throw error
    })
  }
  await start()
  return {
    address: launch.address,
    isRunning: () => runningPid() !== null,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    discard: () => end('SIGKILL'),
    pause: async () => {
      signal('SIGSTOP')
      const isStill = async () => {
        const pid = runningPid()
        return pid === null || (await isFrozen(pid))
      }
      await until(isStill, { timeoutMs: STOP_MS, what: `${launch.name} stands still`, everyMs: 10 })
    },
    resume: async () => signal('SIGCONT'),
    pid: async () => runningPid(),
  }
}

/** A child in a group of its own that does not keep this process alive and does not outlive it. */
function spawnLogged({ command, args, cwd, env, log }: Launch): ChildProcess {
  const output = openSync(log, 'a')
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  })
  closeSync(output)
  child.unref()
  const { pid } = child
  if (pid !== undefined) {
    watch(pid)
    child.once('exit', () => forget(pid))
  }
  child.on('error', () => undefined) // `answering` sees it: it has no pid
  return child
}

async function answering(child: ChildProcess, { name, command, log, answers }: Launch): Promise<void> {
  if (child.pid === undefined) throw new Error(`${name} did not start: cannot run ${command}`)
  let gone = false
  await until(
    async () => {
      gone = hasEnded(child)
      return gone || (await answers())
    },
    { timeoutMs: READY_MS, what: `${name} answers`, everyMs: 100 },
  ).catch(async (error) => {
    throw new Error(`${error.message}\n${await lastLines(log)}`)
  })
  if (gone) throw new Error(`${name} ended while it started. The end of its log:\n${await lastLines(log)}`)
}

/** Whether SIGSTOP holds a process. Until its threads have had their turn to take the signal, it still works. */
export const isFrozen = async (pid: number): Promise<boolean> =>
  (await run('ps', ['-o', 'state=', '-p', String(pid)])).startsWith('T')

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** True when the child ended within `ms`. Keeps this process alive meanwhile. */
export function ended(child: ChildProcess, ms: number): Promise<boolean> {
  if (hasEnded(child) || child.pid === undefined) return Promise.resolve(true)
  return new Promise((resolve) => {
    const onExit = () => {
      clearTimeout(timer)
      resolve(true)
    }
    const timer = setTimeout(() => {
      child.off('exit', onExit)
      resolve(false)
    }, ms)
    child.once('exit', onExit)
  })
}

export function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export async function lastLines(log: string, count = 20): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
