import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { MAIN } from '../../local/build.ts'
import { scrape } from '../../local/scrape.ts'

/** Processor seconds of a process so far. */
export function processorSeconds(pid: number | string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** MiB, by the names of /proc. */
export function memory(pid: number | string): Record<'VmHWM' | 'VmRSS' | 'RssAnon' | 'RssFile', number> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024)
  return { VmHWM: mib('VmHWM'), VmRSS: mib('VmRSS'), RssAnon: mib('RssAnon'), RssFile: mib('RssFile') }
}

/** A running status stage. Its warnings and the progress of its restores go to standard output. */
export interface Stage {
  pid: number
  end(signal: NodeJS.Signals): Promise<void>
  /** The sum of a metric, over the samples with this label value where one is given. */
  metric(name: string, label?: string): Promise<number>
}

export function startStage(env: Record<string, string>): Stage {
  const child = spawn(process.execPath, [MAIN, 'process'], {
    env: { PATH: process.env.PATH ?? '', HTTP_PORT: '0', STAGES: 'status', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let port = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    port ||= /"port":(\d+)/.exec(text)?.[1] ?? ''
    for (const line of text.split('\n'))
      if (/restoring|"level":"?(warn|error|fatal|[456]0)/.test(line)) process.stdout.write(`    ${line}\n`)
  })
  return {
    pid: child.pid as number,
    async end(signal) {
      child.kill(signal)
      await ended
    },
    async metric(name, label) {
      const samples = await scrape(`http://127.0.0.1:${port}/metrics`).catch(() => [])
      const ours = samples.filter((one) => one.name === name && (!label || Object.values(one.labels).includes(label)))
      return ours.reduce((sum, { value }) => sum + value, 0)
    },
  }
}
