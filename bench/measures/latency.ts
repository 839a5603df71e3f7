import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../local/until.ts'
import type { Bed } from '../bed.ts'
import { deleteTopics, discard, newDeployment, PARTITIONS } from '../deployment.ts'
import type { TrafficRecord } from '../event.ts'
import { makeInput } from '../kafka.ts'
import type { BenchOptions } from '../options.ts'
import { startOurs } from '../ours.ts'
import { openPath, type Path } from '../path.ts'
import { between, look, type Usage } from '../processor-time.ts'
import { countDoubted, type Line } from '../report.ts'
import { quantile, ratios } from '../statistics.ts'
import { freshTraffic, newShape } from '../traffic.ts'
import { doubtsAbout } from '../window.ts'

const PER_SECOND = 500
const SECONDS = 20
/** Java compiles the broker's way of a transaction only after some ten thousand of them. */
const WARM_UP_SECONDS = 75

export interface LatencyRound {
  path: 'bare' | 'ours'
  records: number
  p50: number
  p99: number
  max: number
  doubts: string[]
}

/**
 * From the moment when a record is given to the producer to that when a reader of committed records has the update; and
 * the same producer and reader over a topic with nothing in between. Both paths take turns, with the program running.
 */
export async function latency(bed: Bed, options: BenchOptions): Promise<{ line: Line; latency: LatencyRound[] }> {
  const deployment = newDeployment(bed)
  const [bareTopic, events] = [`bench.bare-${bed.next()}`, `bench.events-latency-${bed.next()}`]
  await makeInput(bed.cluster, bareTopic, PARTITIONS)
  await makeInput(bed.cluster, events, PARTITIONS)
  const ours = await startOurs(bed.program, deployment, { events })
  const done: LatencyRound[] = []
  try {
    await until(ours.isReady, { timeoutMs: 120_000, what: 'the processor is ready' })
    const records = freshTraffic(newShape(12), Number.MAX_SAFE_INTEGER).records[Symbol.iterator]()
    await using bare = await openPath(bed.cluster, bareTopic, bareTopic)
    await using through = await openPath(bed.cluster, events, deployment.status)
    const seconds = options.quick ? 4 : SECONDS
    for (const path of [bare, through]) await send(path, records, options.quick ? 2 : WARM_UP_SECONDS)
    for (let round = 0; round < options.rounds; round++) {
      for (const [name, path] of [
        ['bare', bare],
        ['ours', through],
      ] as const) {
        const before = look({ program: ours.pids, ...bed.pids })
        const taken = await send(path, records, seconds)
        done.push(told(bed, name, taken, between(before, look({ program: ours.pids, ...bed.pids }))))
      }
    }
  } finally {
    await ours.stop()
  }
  await discard(bed, deployment)
  await deleteTopics(bed.cluster, [bareTopic, events])
  const p99 = (name: string) => done.filter(({ path }) => path === name).map((round) => round.p99)
  const measure = `p99 from produce to committed update at ${PER_SECOND} records/s ÷ p99 of a bare produce and fetch`
  const value = ratios(p99('ours'), p99('bare'))
  return {
    line: { measure, unit: '', value, must: 4, aim: 2.5, better: 'lower', doubted: countDoubted(done) },
    latency: done,
  }
}

/** Sends at an even pace, each record by itself, and gives the milliseconds that each took. */
async function send(path: Path, records: Iterator<TrafficRecord>, seconds: number): Promise<number[]> {
  const total = seconds * PER_SECOND
  const began = performance.now()
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, ((performance.now() - began) / 1e3) * PER_SECOND)
    for (; sent < due; sent++) path.send(records.next().value)
    await delay(1)
  }
  return path.taken(total)
}

function told(bed: Bed, path: LatencyRound['path'], taken: number[], usage: Usage): LatencyRound {
  const [p50, p99, max] = [quantile(taken, 0.5), quantile(taken, 0.99), Math.max(...taken)]
  const round = { path, records: taken.length, p50, p99, max, doubts: doubtsAbout(usage) }
  const doubt = round.doubts.length > 0 ? `  doubted: ${round.doubts.join('; ')}` : ''
  bed.tell(`latency, ${path}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(1)} ms${doubt}`)
  return round
}
