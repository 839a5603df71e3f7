import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../local/until.ts'
import type { Processor } from '../support/processor.ts'
import { atPoint, POINT_NAMES, type PointName } from './points.ts'
import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 3_000
const KILLS = 6
const RECORDS_BEFORE_A_POINT = 300
const DEATH_MS = 90_000

/** `kill -9` again and again while records are worked off, each time with another chunk size after it. */
async function atRandomMoments(run: FaultRun): Promise<void> {
  const { fleet, random, progress } = run
  await run.send(RECORDS)
  for (let left = KILLS; left > 0; left--) {
    const processor = fleet.launch()
    // From its first line of code, over joining and restoring, to the middle of the work.
    if (random.chance(0.5)) await delay(random.int(300, 5_000))
    else if ((await progress.left()) > 0) await run.workedOff(random.next() / left)
    await fleet.end(processor, 'kill9')
    await mourn(run, processor)
  }
}

/** Dead at the same place of the code each time, whatever the machine. */
async function atNamedPoints(run: FaultRun, points: readonly PointName[]): Promise<void> {
  const { fleet, random } = run
  for (const point of points) {
    await run.send(RECORDS_BEFORE_A_POINT)
    const chunk = random.pick([20, 100, 500, 1000, 2000])
    const passage = chunk === 20 ? random.int(1, 3) : 1
    const processor = fleet.launch({ ...atPoint(point, 'kill', passage), CHUNK_RECORDS: String(chunk) })
    await until(() => processor.hasEnded(), { timeoutMs: DEATH_MS, what: `a processor dies ${point}` }).catch(
      (error) => {
        throw new Error(`${error.message}\n${processor.log()}`)
      },
    )
    if ((await processor.ended) !== 'SIGKILL') throw new Error(`It was not killed ${point}:\n${processor.log()}`)
    await fleet.end(processor, 'kill9')
    run.say(`killed ${point}, passage ${passage}, chunks of ${chunk}`)
    await mourn(run, processor)
  }
}

/** Most times Kafka is told at once; else the next processor waits for the end of the dead one's sessions. */
async function mourn(run: FaultRun, dead: Processor): Promise<void> {
  run.count('kills')
  if (run.random.chance(0.8)) await run.bury(dead)
}

const INGEST_POINTS = 4

export const scenarios: Scenario[] = [
  { name: 'kill -9 at random moments', play: atRandomMoments },
  {
    name: 'kill -9 at each point of the ingest walk',
    play: (run) => atNamedPoints(run, POINT_NAMES.slice(0, INGEST_POINTS)),
  },
  {
    name: 'kill -9 at each point of the status walk',
    play: (run) => atNamedPoints(run, POINT_NAMES.slice(INGEST_POINTS)),
  },
]
