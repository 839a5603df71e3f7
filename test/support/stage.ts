import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MAIN } from '../../local/build.ts'
import { scrape } from '../../local/scrape.ts'

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
