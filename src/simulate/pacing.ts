import { setTimeout as sleep } from 'node:timers/promises'

/** When the next record, of simulated time `at`, is due, on the clock of `performance.now()`. */
export type Pacing = (at: number) => number

/** As fast as possible. */
export const unpaced: Pacing = () => 0

/** `rate` records a second, whatever their times. */
export function paceByRate(rate: number): Pacing {
  const began = performance.now()
  let count = 0
  return () => began + (count++ * 1000) / rate
}

/** Each record at its own time: simulated time `start` is now. */
export function paceByClock(start: number): Pacing {
  const began = performance.now()
  return (at) => began + at - start
}

/** Nobody sees a difference below this, and timers cost more than they give. */
const GRAIN_MS = 5

export const isDue = (due: number) => due - performance.now() < GRAIN_MS

/** Resolves when it is due, or at once when the signal says stop. */
export async function waitFor(due: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => undefined)
}
