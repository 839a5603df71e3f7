import type { Bed } from '../bed.ts'
import { deleteTopics, discard, fill, newDeployment } from '../deployment.ts'
import type { BenchOptions } from '../options.ts'
import { countDoubted, type Line } from '../report.ts'
import { type Round, roundOfOurs } from '../round.ts'
import { spread } from '../statistics.ts'
import { freshTraffic, newShape } from '../traffic.ts'

/** A backlog is so many times the records of a round. */
const TIMES = 10

/** Peak resident memory of the program while it drains a backlog. */
export async function memory(bed: Bed, { records }: BenchOptions): Promise<{ line: Line; round: Round }> {
  const count = records * TIMES
  const task = await fill(bed, 'bench.events-backlog', 'backlog', freshTraffic(newShape(13), count))
  const deployment = newDeployment(bed)
  const round = await roundOfOurs(bed, task, deployment)
  await discard(bed, deployment)
  await deleteTopics(bed.cluster, [task.topic])
  const measure = `peak resident memory draining a backlog of ${count.toLocaleString('en')}`
  return {
    line: {
      measure,
      unit: 'MiB',
      value: spread([round.peakMemory]),
      must: 512,
      aim: 256,
      better: 'lower',
      doubted: countDoubted([round]),
    },
    round,
  }
}
