import { parseArgs } from 'node:util'

export const MEASURES = ['speed', 'avro', 'replay', 'mixed', 'latency', 'idle', 'memory', 'growth'] as const
export type Measure = (typeof MEASURES)[number]
const HEAVY: Measure[] = ['memory', 'growth']

export const PLOTS = ['partitions', 'size', 'existing', 'processes'] as const
export type Plot = (typeof PLOTS)[number]

export interface BenchOptions {
  help: boolean
  measures: Measure[]
  records: number
  rounds: number
  strict: boolean
  /** Pictures to draw in place of measuring. */
  plots: Plot[]
  markdown: boolean
  out: string
  /** The checkout whose `dist` is measured; null for this one, which is built first when need be. */
  program: string | null
  /** A trial of the bench itself: small, and its figures mean nothing. */
  quick: boolean
}

export const HELP = `Usage: npm run bench [-- options]

Measures the program beside Kafka Connect with the official MongoDB sink, on services of its own that it starts and stops:
Kafka, MongoDB, a schema registry, the peer. Prints a table and writes JSON. docs/explanation/speed.md says what is measured and how.

  --only MEASURE   one measure; may be given several times. All but the heavy ones when absent:
                     speed     records/s and processor time a record, beside the peer
                     avro      the same with Avro in and out, beside our JSON
                     replay    all ids exist already, beside the peer
                     mixed     20 % of the ids exist, records late and repeated, beside the peer
                     latency   from produce to committed update at 500 records/s, beside a bare produce and fetch
                     idle      processor use with all connections up and nothing to do
                     memory    heavy: peak resident memory draining a backlog of 3,000,000 (about 5 minutes)
                     growth    heavy: 5,000,000 documents and sessions beside 100,000 (about 15 minutes)
  --heavy          the heavy measures too
  --records N      records of a round (300000; for --plots 150000)
  --rounds R       rounds of each side, taking turns (3; for --plots 1)
  --quick          a trial of the bench itself: 60000 records, one round
  --strict         repeat a round in which others used the machine, up to three times, and then fail
  --plots          in place of a table, the pictures of docs/: against partitions, document size, share of existing ids, processes
                   (about 15 minutes)
  --plot NAME      only this one: partitions, size, existing or processes
  --markdown       print the table as Markdown
  --program DIR    measure the program built in another checkout (DIR/dist), to compare two versions
  --out FILE       where the JSON goes (bench/results/latest.json)
  -h, --help       this text

Example:
  npm run bench -- --only speed --rounds 5
`

/** Throws an Error for the person who typed. */
export function parseBenchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      only: { type: 'string', multiple: true, default: [] },
      heavy: { type: 'boolean', default: false },
      records: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      plots: { type: 'boolean', default: false },
      plot: { type: 'string', multiple: true, default: [] },
      markdown: { type: 'boolean', default: false },
      program: { type: 'string' },
      out: { type: 'string', default: 'bench/results/latest.json' },
    },
  })
  const { quick, heavy, only, help, strict, markdown, out } = values
  const plots = values.plots ? [...PLOTS] : (values.plot as Plot[])
  const draws = plots.length > 0
  const unknown = only.find((name) => !MEASURES.includes(name as Measure))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${MEASURES.join(', ')}`)
  const unknownPlot = plots.find((name) => !PLOTS.includes(name))
  if (unknownPlot !== undefined) throw new Error(`--plot ${unknownPlot}: there are ${PLOTS.join(', ')}`)
  const measures = only.length > 0 ? (only as Measure[]) : MEASURES.filter((name) => heavy || !HEAVY.includes(name))
  return {
    ...{ help, measures, strict, plots, markdown, out, quick },
    program: values.program ?? null,
    records: count('--records', values.records, quick ? 60_000 : draws ? 150_000 : 300_000, 10_000),
    rounds: count('--rounds', values.rounds, quick || draws ? 1 : 3, 1),
  }
}

function count(name: string, text: string | undefined, usual: number, least: number): number {
  const value = text === undefined ? usual : Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${name} ${text}: give a whole number from ${least} on`)
  return value
}
