import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { build } from '../../local/build.ts'
import { type Cluster, startCluster } from '../../local/cluster.ts'
import { whenToldToStop } from '../../local/when-told.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { tellReport } from '../support/compare.ts'
import { isFlawless, type Outcome, playScenario, type Scenario } from './run.ts'
import { scenarios } from './scenarios.ts'
import { type Totals, table, totalsOf } from './table.ts'

const help = `Usage: npm run soak -- [options]

Plays the scenarios of test/faults, drawn at random, on a cluster of its own, and judges each run by the independent model
and Java's consumer. Prints a line for each run and a table at the end; exits with 1 when any run went wrong, and prints the
command that plays that run again.

Options:
  --minutes M  for how long to begin new runs [10]; 0 plays one run
  --seed S     any text [drawn, and printed]
  --only NAME  only scenarios whose name contains this
  --verbose    tell what happens within a run
  -h, --help   this text

Scenarios:
${scenarios.map(({ name }) => `  ${name}`).join('\n')}
`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  if (values.help) {
    print(help)
    return 0
  }
  const drawn = scenarios.filter(({ name }) => name.includes(values.only))
  const minutes = Number(values.minutes)
  if (drawn.length === 0 || !(minutes >= 0)) {
    print(help)
    return 2
  }
  await build(print)
  await using cluster = await startCluster(print)
  print(`seed ${values.seed}, ${drawn.length} scenarios, ${minutes} minutes`)
  return await soak(cluster, drawn as [Scenario, ...Scenario[]], minutes)
}

/** The seed of a run is its own: `--minutes 0` with it plays just that run. */
async function soak(cluster: Cluster, drawn: [Scenario, ...Scenario[]], minutes: number): Promise<number> {
  const random = createRandom(values.seed)
  const deadline = Date.now() + minutes * 60_000
  const totals = new Map<string, Totals>()
  let stopping = false
  whenToldToStop(() => {
    stopping = true
  })
  let failures = 0
  for (let run = 1; run === 1 || (Date.now() < deadline && !stopping); run++) {
    const scenario = random.pick(drawn)
    const seed = run === 1 ? values.seed : `${values.seed}-${run}`
    const outcome = await played(cluster, scenario, seed)
    if (typeof outcome !== 'string') {
      totals.set(scenario.name, totalsOf(outcome, totals.get(scenario.name)))
      print(`${new Date().toISOString()} ${seed}  ${lineOf(scenario, outcome)}`)
      if (isFlawless(outcome)) continue
    }
    failures++
    print(typeof outcome === 'string' ? outcome : tellReport(outcome.report))
    print(`WRONG. To play it again: npm run soak -- --minutes 0 --seed '${seed}' --only '${scenario.name}'`)
  }
  print(table(totals, failures))
  return failures === 0 ? 0 : 1
}

/** The outcome, or why there is none. */
async function played(cluster: Cluster, scenario: Scenario, seed: string): Promise<Outcome | string> {
  try {
    return await playScenario(cluster, scenario, { seed, ...(values.verbose && { say: print }) })
  } catch (error) {
    return `${scenario.name}: ${(error as Error).stack}`
  }
}

function lineOf({ name }: Scenario, { records, updates, seconds, counts, verdict }: Outcome): string {
  const counted = Object.entries(counts).map(([what, count]) => `, ${what} ${count}`)
  const wrong = Object.values(verdict).reduce((sum, count) => sum + count, 0)
  const figures = `${records} records, ${updates} updates${counted.join('')}`
  return `${name}: ${figures}, ${wrong === 0 ? 'no difference' : `${wrong} DIFFERENCES`} (${seconds.toFixed(0)} s)`
}

process.exit(await main())
