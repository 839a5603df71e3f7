import { until } from '../../local/until.ts'
import type { Bed } from '../bed.ts'
import { deleteTopics, discard, fill, newDeployment } from '../deployment.ts'
import { makeInput, produce } from '../kafka.ts'
import type { BenchOptions } from '../options.ts'
import { type Deployment, startOurs } from '../ours.ts'
import { countDoubted, type Line } from '../report.ts'
import { countOurs, peakMemory, type Round, told, WINDOW_FROM } from '../round.ts'
import { ratios, spread } from '../statistics.ts'
import { extendingTraffic, newShape, openingTraffic } from '../traffic.ts'
import { measureWindow } from '../window.ts'

const SMALL = 100_000
const LARGE = 5_000_000
const PARTITIONS = 12
const HOURS_MS = 3_600_000

/**
 * Processor time a record with many documents and sessions beside few. Each record is a new event of any one of the
 * sessions, so that neither heads nor index pages are those used last. The program starts anew on what is there.
 */
export async function growth(bed: Bed, options: BenchOptions): Promise<{ lines: Line[]; rounds: Round[] }> {
  const sizes = options.quick ? [10_000, 50_000] : [SMALL, LARGE]
  const rounds: Extended[] = []
  for (const size of sizes) rounds.push(await atSize(bed, size, options.records))
  const [few, many] = rounds as [Extended, Extended]
  const [small, large] = sizes.map((size) => size.toLocaleString('en'))
  const doubted = countDoubted(rounds)
  const compared = (measure: string, of: (round: Round) => number): Line => {
    const value = ratios([of(many)], [of(few)])
    return { measure, unit: '', value, must: 1.3, aim: 1.1, better: 'lower', doubted }
  }
  const alone = (measure: string, unit: Line['unit'], value: number, must: number, aim: number): Line => {
    return { measure, unit, value: spread([value]), must, aim, better: 'lower', doubted: 0 }
  }
  return {
    lines: [
      compared(`processor time a record with ${large} documents and sessions ÷ with ${small}`, ({ total }) => total),
      compared('the same of the program alone', ({ micros }) => micros.program as number),
      alone(`peak resident memory while ${large} sessions are opened and extended`, 'MiB', many.peakMemory, 512, 256),
      alone(`restart with ${large} sessions until all lanes are open`, 's', many.readySeconds, 10, 1),
    ],
    rounds,
  }
}

interface Extended extends Round {
  readySeconds: number
}

async function atSize(bed: Bed, sessions: number, records: number): Promise<Extended> {
  const shape = newShape(14)
  const deployment = newDeployment(bed)
  const scenario = `${sessions.toLocaleString('en')} sessions`
  const topic = `bench.events-opening-${bed.next()}`
  const task = await fill(bed, topic, scenario, openingTraffic(shape, sessions))
  const opening = await drain(bed, deployment, topic, task.records)
  await deleteTopics(bed.cluster, [topic])
  const extended = await extend(bed, deployment, extendingTraffic(shape, sessions, records), scenario)
  const round = { ...extended, peakMemory: Math.max(opening, extended.peakMemory) }
  await discard(bed, deployment)
  told(bed, round)
  return round
}

/** @returns the peak of its memory in MiB. */
async function drain(bed: Bed, deployment: Deployment, events: string, records: number): Promise<number> {
  const ours = await startOurs(bed.program, deployment, { events })
  let shownAt = Date.now()
  const isDone = async () => {
    const { done } = await ours.progress()
    if (Date.now() - shownAt > 30_000) {
      shownAt = Date.now()
      bed.tell(`${done} of ${records} sessions opened`)
    }
    return done >= records
  }
  try {
    await until(isDone, { timeoutMs: 2 * HOURS_MS, what: `${records} sessions are opened`, everyMs: 500 })
    return peakMemory(ours.pids)
  } finally {
    await ours.stop()
  }
}

/** The records come when all lanes are open, so that rebuilding the heads is not measured. */
async function extend(
  bed: Bed,
  deployment: Deployment,
  traffic: ReturnType<typeof extendingTraffic>,
  scenario: string,
): Promise<Extended> {
  const topic = `bench.events-extending-${bed.next()}`
  await makeInput(bed.cluster, topic, PARTITIONS)
  await bed.settle()
  const ours = await startOurs(bed.program, deployment, { events: topic })
  try {
    const began = Date.now()
    await until(ours.isReady, { timeoutMs: HOURS_MS, what: 'all lanes are open' })
    const readySeconds = (Date.now() - began) / 1e3
    bed.tell(`${scenario}: ready after ${readySeconds.toFixed(1)} s`)
    await produce(bed.cluster, topic, PARTITIONS, traffic.records)
    const window = await measureWindow({
      ...{ records: traffic.count, from: WINDOW_FROM, progress: ours.progress, timeoutMs: HOURS_MS, what: scenario },
      watched: { program: ours.pids, ...bed.pids },
    })
    const counted = await countOurs(bed, deployment, traffic)
    return { ...window, ...counted, side: 'ours', scenario, peakMemory: peakMemory(ours.pids), readySeconds }
  } finally {
    await ours.stop()
    await deleteTopics(bed.cluster, [topic])
  }
}
