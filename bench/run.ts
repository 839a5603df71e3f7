import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { ROOT } from '../local/build.ts'
import { whenToldToStop } from '../local/when-told.ts'
import { type Bed, openBed } from './bed.ts'
import { besidePeer, linesBesidePeer } from './measures/beside-peer.ts'
import { type BenchOptions, HELP, type Measure, parseBenchOptions } from './options.ts'
import { processors } from './processor-time.ts'
import { type Report, tables } from './report.ts'

const BESIDE_PEER: Measure[] = ['speed', 'replay', 'mixed']

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function measure(bed: Bed, options: BenchOptions): Promise<Report> {
  const report: Report = {
    at: new Date().toISOString(),
    machine: machine(bed, options),
    options: shown(options),
    lines: [],
    rounds: [],
    details: {},
  }
  if (options.measures.some((name) => BESIDE_PEER.includes(name))) {
    report.rounds.push(...(await besidePeer(bed, options)))
    report.lines.push(...linesBesidePeer(report.rounds))
  }
  return report
}

const shown = ({ records, rounds, quick }: BenchOptions) => ({
  records,
  rounds,
  ...(quick && { quick: 'a trial, no figures' }),
})

function machine({ services: { how } }: Bed, { program }: BenchOptions): Report['machine'] {
  return {
    machine: `${processors()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    services: `Kafka ${how.kafka}, MongoDB ${how.mongodb}`,
    program: program ?? commit(),
  }
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src') === '' ? '' : ' with changes'}`
}

async function main(options: BenchOptions): Promise<number> {
  whenToldToStop(() => process.exit(130)) // what was started ends with this process
  await using bed = await openBed(print, options.program)
  const report = await measure(bed, options)
  const out = resolve(ROOT, options.out)
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`)
  print(`\n${tables(report, options.markdown)}\nWritten to ${out}`)
  const wrong = report.rounds.some(({ invalid }) => invalid.some((reason) => /in place of/.test(reason)))
  return wrong ? 1 : 0
}

let options: BenchOptions
try {
  options = parseBenchOptions(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nSee npm run bench -- --help\n`)
  process.exit(2)
}
if (options.help) process.stdout.write(HELP)
else {
  process.exit(
    await main(options).catch((error: Error) => {
      process.stderr.write(`${error.message}\n`)
      return 1
    }),
  )
}
