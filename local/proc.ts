import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

// What Linux tells of a process under /proc; `processOf` and `memoryOf` throw when it has ended.

let ticks = 0

/** Clock ticks of /proc in a second. */
export function hertz(): number {
  ticks ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return ticks
}

/** Its parent's process id, and its user and system time in seconds so far. `self` is this process. */
export function processOf(pid: number | string): { parent: number; seconds: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name in brackets may hold spaces; after it come state, parent, … user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / hertz() }
}

/** Its memory in whole MiB, by the names of /proc; NaN where it has none any more. */
export function memoryOf(pid: number | string): Record<'VmHWM' | 'VmRSS' | 'VmData' | 'RssAnon' | 'RssFile', number> {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const mib = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024)
  const resident = { VmHWM: mib('VmHWM'), VmRSS: mib('VmRSS'), RssAnon: mib('RssAnon'), RssFile: mib('RssFile') }
  return { ...resident, VmData: mib('VmData') }
}
