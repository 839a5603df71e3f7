import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../local/until.ts'
import type { Bed } from '../bed.ts'
import { discard, fill, newDeployment } from '../deployment.ts'
import type { BenchOptions } from '../options.ts'
import { startOurs } from '../ours.ts'
import { between, look, type Usage } from '../processor-time.ts'
import { countDoubted, type Line } from '../report.ts'
import { spread } from '../statistics.ts'
import { freshTraffic, newShape } from '../traffic.ts'
import { doubtsAbout } from '../window.ts'

const WARM_UP = 20_000
/** Until the last offsets are committed and garbage is collected. */
const REST_MS = 15_000

/** Processor use of the program when it has worked, all its connections are up, and nothing comes any more. */
export async function idle(bed: Bed, { rounds, quick }: BenchOptions): Promise<{ line: Line; windows: Usage[] }> {
  const task = await fill(bed, 'bench.events-idle', 'idle', freshTraffic(newShape(11), WARM_UP))
  const deployment = newDeployment(bed)
  const ours = await startOurs(bed.program, deployment, { events: task.topic })
  const windows: Usage[] = []
  try {
    const isDone = async () => (await ours.progress()).done >= task.records
    await until(isDone, { timeoutMs: 180_000, what: 'the records before the rest are done', everyMs: 200 })
    await delay(quick ? 2_000 : REST_MS)
    const watched = { program: ours.pids, ...bed.pids }
    for (let round = 0; round < rounds; round++) {
      const before = look(watched)
      await delay(quick ? 5_000 : 60_000 / Math.min(3, rounds))
      windows.push(between(before, look(watched)))
    }
  } finally {
    await ours.stop()
  }
  await discard(bed, deployment)
  const share = (usage: Usage) => ((usage.own.program ?? 0) / usage.seconds) * 100
  const value = spread(windows.map(share))
  bed.tell(`idle: ${value.median.toFixed(2)} % of a processor`)
  const measure = 'idle processor use with all connections up, of a core'
  return {
    line: {
      measure,
      unit: '%',
      value,
      must: 1,
      aim: 0.5,
      better: 'lower',
      doubted: countDoubted(windows.map((usage) => ({ doubts: doubtsAbout(usage) }))),
    },
    windows,
  }
}
