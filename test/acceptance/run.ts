import { parseArgs } from 'node:util'
import { build } from '../../local/build.ts'
import { startServices } from '../../local/services.ts'
import { isRight, tellReport } from '../support/compare.ts'
import { runTraffic } from '../support/run-traffic.ts'

/**
 * The acceptance run: simulated traffic through the built processor, disturbed by kills and by processors that join and
 * leave, judged by the independent model. Prints figures; exits with 1 on any difference.
 *
 *     node test/acceptance/run.ts --events 1000000 --kills 10 --processors 2 --seed autumn
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    kills: { type: 'string', default: '0' },
    processors: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    encoding: { type: 'string', default: 'mixed' },
    chunks: { type: 'string', default: '2000' },
  },
})

const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  await build(say)
  await using services = await startServices({ registry: true, progress: say })
  const [chunk = 2000, ...chunks] = values.chunks.split(',').map(Number)
  const outcome = await runTraffic(services.env, {
    events: Number(values.events),
    kills: Number(values.kills),
    processors: Number(values.processors),
    seed: values.seed,
    encoding: values.encoding as 'mixed',
    chunkRecords: [chunk, ...chunks],
    say,
  })
  const { seconds, recordsPerSecond, peakMemory, kills, joins, leaves } = outcome
  say(`${recordsPerSecond} records/s over ${seconds.toFixed(1)} s; peak memory of a processor ${peakMemory ?? '?'} MiB`)
  say(`${kills} kills, ${joins} joins, ${leaves} leaves`)
  say(`by their metrics: ${JSON.stringify(outcome.outcomes)}`)
  say(tellReport(outcome))
  return isRight(outcome) ? 0 : 1
}

process.exit(await main())
