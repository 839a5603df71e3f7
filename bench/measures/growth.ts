import { until } from '../../local/until.ts'
import type { Bed } from '../bed.ts'
import { deleteTopics, discard, fill, newDeployment } from '../deployment.ts'
import { makeInput, produce } from '../kafka.ts'
import type { BenchOptions } from '../options.ts'
import { type Deployment, startOurs } from '../ours.ts'
import { countDoubted, type Line } from '../report.ts'
import { countOurs, peakMemory, type Round, told, WINDOW_FROM } from '../round.ts'
import { ratios } from '../statistics.ts'
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
export async function growth(bed: Bed, options: BenchOptions): Promise<{ line: Line; rounds: Round[] }> {
  const sizes = options.quick ? [10_000, 50_000] : [SMALL, LARGE]
  const rounds: Round[] = []
  for (const size of sizes) rounds.push(await atSize(bed, size, options.records))
  const total = (round: Round) => round.total
  const value = ratios(rounds.slice(1).map(total), rounds.slice(0, 1).map(total))
  const [small, large] = sizes.map((size) => size.toLocaleString('en'))
  const measure = `processor time a record with ${large} documents and sessions ÷ with ${small}`
  return {
    line: { measure, unit: '', value, must: 1.3, aim: 1.1, better: 'lower', doubted: countDoubted(rounds) },
    rounds,
  }
}

async function atSize(bed: Bed, sessions: number, records: number): Promise<Round> {
  const shape = newShape(14)
  const deployment = newDeployment(bed)
  const scenario = `${sessions.toLocaleString('en')} sessions`
  const topic = `bench.events-opening-${bed.next()}`
  const task = await fill(bed, topic, scenario, openingTraffic(shape, sessions))
  await drain(bed, deployment, topic, task.records)
  await deleteTopics(bed.cluster, [topic])
  const round = await extend(bed, deployment, extendingTraffic(shape, sessions, records), scenario)
  await discard(bed, deployment)
  return told(bed, round)
}

async function drain(bed: Bed, deployment: Deployment, events: string, records: number): Promise<void> {
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
): Promise<Round> {
  const topic = `bench.events-extending-${bed.next()}`
  await makeInput(bed.cluster, topic, PARTITIONS)
  await bed.settle()
  const ours = await startOurs(bed.program, deployment, { events: topic })
  try {
    const began = Date.now()
    await until(ours.isReady, { timeoutMs: HOURS_MS, what: 'all lanes are open' })
    bed.tell(`${scenario}: ready after ${((Date.now() - began) / 1e3).toFixed(1)} s`)
    await produce(bed.cluster, topic, PARTITIONS, traffic.records)
    const window = await measureWindow({
      ...{ records: traffic.count, from: WINDOW_FROM, progress: ours.progress, timeoutMs: HOURS_MS, what: scenario },
      watched: { program: ours.pids, ...bed.pids },
    })
    const counted = await countOurs(bed, deployment, traffic)
    return { ...window, ...counted, side: 'ours', scenario, peakMemory: peakMemory(ours.pids) }
  } finally {
    await ours.stop()
    await deleteTopics(bed.cluster, [topic])
  }
}
