import { readdirSync, readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { hertz, processOf } from '../local/proc.ts'

/** One look at the machine: all figures only ever grow, in seconds of one processor. */
export interface Look {
  at: number
  /** User and system time of each watched process and all its children, by name. */
  own: Record<string, number>
  /** Of every other process, kernel threads left out. */
  foreign: number
  /** Taken away by the host of a virtual machine. */
  stolen: number
}

type Process = ReturnType<typeof processOf>

function processes(): Map<number, Process> {
  const found = new Map<number, Process>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid > 0)) continue
    try {
      found.set(pid, processOf(pid))
    } catch {
      // It ended while we looked.
    }
  }
  return found
}

/** @param watched process ids by name; their descendants count with them. This process itself is `bench`. */
export function look(watched: Record<string, number[]>): Look {
  const all = processes()
  const roots = new Map<number, string>([[process.pid, 'bench']])
  for (const [name, pids] of Object.entries(watched)) for (const pid of pids) roots.set(pid, name)
  const own: Record<string, number> = Object.fromEntries([...Object.keys(watched), 'bench'].map((name) => [name, 0]))
  for (const [pid, { seconds }] of all) {
    const name = ownerOf(pid, all, roots)
    if (name !== undefined) own[name] = (own[name] ?? 0) + seconds
  }
  const { busy, stolen } = machine()
  const watchedSeconds = Object.values(own).reduce((sum, seconds) => sum + seconds, 0)
  return { at: performance.now() / 1_000, own, foreign: busy - watchedSeconds - kernelThreads(all), stolen }
}

/** The nearest watched process above. */
function ownerOf(pid: number, all: Map<number, Process>, roots: Map<number, string>): string | undefined {
  for (let at: number | undefined = pid; at; at = all.get(at)?.parent) {
    const name = roots.get(at)
    if (name !== undefined) return name
  }
  return undefined
}

/** Process 2 is the parent of all kernel threads. */
function kernelThreads(all: Map<number, Process>): number {
  let sum = 0
  for (const [pid, { parent, seconds }] of all) if (pid === 2 || parent === 2) sum += seconds
  return sum
}

/** The first line of /proc/stat; time in interrupts is left out, since nobody can say whose it is. */
function machine(): { busy: number; stolen: number } {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = first.split(/\s+/).map(Number)
  return { busy: (user + nice + system) / hertz(), stolen: steal / hertz() }
}

/** What was used between two looks. */
export interface Usage {
  seconds: number
  /** Seconds of processor time by name. */
  own: Record<string, number>
  /** Share of one processor that others used. */
  foreign: number
  load: number
}

export function between(from: Look, to: Look): Usage {
  const seconds = to.at - from.at
  const own = Object.fromEntries(
    Object.keys(to.own).map((name) => [name, (to.own[name] ?? 0) - (from.own[name] ?? 0)] as const),
  )
  const foreign = Math.max(0, to.foreign - from.foreign) + (to.stolen - from.stolen)
  return { seconds, own, foreign: foreign / seconds, load: loadavg()[0] ?? 0 }
}

export const processors = (): string => `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`
