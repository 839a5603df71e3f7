import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { ROOT } from '../local/build.ts'
import { whenToldToStop } from '../local/when-told.ts'
import { type Bed, openBed } from './bed.ts'
import { growth } from './measures/growth.ts'
import { idle } from './measures/idle.ts'
import { latency } from './measures/latency.ts'
import { memory } from './measures/memory.ts'
import { plots } from './measures/plots.ts'
import { THROUGHPUT, throughput, throughputLines } from './measures/throughput.ts'
import { type BenchOptions, HELP, type Measure, parseBenchOptions } from './options.ts'
import { processors } from './processor-time.ts'
import { type Report, tables } from './report.ts'

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
  if (options.plots.length > 0) {
    report.rounds.push(...(await plots(bed, options)))
    return report
  }
  const has = (measure: Measure) => options.measures.includes(measure)
  if (THROUGHPUT.some(has)) {
    report.rounds.push(...(await throughput(bed, options)))
    report.lines.push(...throughputLines(report.rounds))
  }
  if (has('latency')) {
    const { line, ...details } = await latency(bed, options)
    report.lines.push(line)
    Object.assign(report.details, details)
  }
  if (has('growth')) {
    const { lines, rounds } = await growth(bed, options)
    report.lines.push(...lines)
    report.rounds.push(...rounds)
  }
  if (has('memory')) {
    const { line, round } = await memory(bed, options)
    report.lines.push(line)
    report.rounds.push(round)
  }
  if (has('idle')) {
    const { line, windows } = await idle(bed, options)
    report.lines.push(line)
    report.details.idle = windows
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
  return report.rounds.some(({ errors }) => errors.length > 0) ? 1 : 0
}

// kafkajs sets timers of negative length; other warnings are shown as ever.
process.removeAllListeners('warning').on('warning', ({ name, message }) => {
  if (name !== 'TimeoutNegativeWarning') process.stderr.write(`${name}: ${message}\n`)
})

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
