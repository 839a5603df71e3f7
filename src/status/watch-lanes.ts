import type { Logger } from 'pino'
import { LANE_STATES, type Metrics } from '../operate/metrics.ts'
import type { LaneState } from './lane.ts'

/** Keeps the metrics of lanes: their states, their heads, and how far their restores are. */
export function watchLanes({ metrics, log }: { metrics: Metrics; log: Logger }) {
  const states = new Map<number, LaneState | 'failed'>()
  const heads = new Map<number, number>()
  const left = new Map<number, number>()
  const sum = (of: Map<number, number>) => [...of.values()].reduce((total, one) => total + one, 0)
  return {
    onState(partition: number, state: LaneState | 'failed') {
      if (state === 'closed') states.delete(partition)
      else states.set(partition, state)
      if (state !== 'running') heads.delete(partition)
      if (state !== 'restoring') left.delete(partition)
      for (const name of LANE_STATES) {
        metrics.lanes.set({ state: name }, [...states.values()].filter((one) => one === name).length)
      }
      metrics.heads.set(sum(heads))
      metrics.restoreLeft.set(sum(left))
      log.debug({ partition, state }, 'lane')
    },
    onHeads(partition: number, count: number) {
      heads.set(partition, count)
      metrics.heads.set(sum(heads))
    },
    onProgress(partition: number, records: number, recordsLeft: number) {
      left.set(partition, recordsLeft)
      metrics.restoredRecords.inc(records)
      metrics.restoreLeft.set(sum(left))
    },
    onRestored(_: number, seconds: number) {
      metrics.restoreDuration.observe(seconds)
    },
  }
}
