import type { Occupancy } from '../../../contract/api.ts'
import { isoOf } from '../../../contract/iso-time.ts'

/**
 * How many were parked at the end of each step of the last `spanMs`, and are now.
 *
 * @param changes how many more came than went in a step; null where that is not known: then there is only now.
 */
export function occupancyOf(
  parked: number,
  changes: ((step: number) => number) | null,
  { now, spanMs, stepMs }: { now: number; spanMs: number; stepMs: number },
): Occupancy {
  const points = [{ at: isoOf(now), parked }]
  const last = Math.floor(now / stepMs)
  const first = changes ? Math.ceil((now - Math.max(0, spanMs)) / stepMs) : last + 1
  // Backwards, since how many are parked now is what is known. What came after the last whole step is in the next one.
  let count = parked
  for (let step = last; step >= first; step--) {
    count -= changes?.(step + 1) ?? 0
    if (step * stepMs < now) points.push({ at: isoOf(step * stepMs), parked: count })
  }
  return { step: stepMs, points: points.reverse() }
}
