import { useMemo } from 'preact/hooks'
import type { Occupancy } from '../../src/contract/api.ts'
import { TimeChart } from './charts.tsx'
import { count } from './format.ts'
import { useStore } from './hooks.ts'
import { createStore } from './store.ts'

const HOURS = [1, 6, 24] as const
/** The same for all zones and for each, so that they can be compared. */
const hours = createStore<number>(6)

export const useHours = (): [number, (next: number) => void] => [useStore(hours), hours.set]

export function HoursSwitch() {
  const [now, change] = useHours()
  return (
    <fieldset class="switch">
      <legend class="sr-only">Time shown</legend>
      {HOURS.map((n) => (
        <label key={n}>
          <input type="radio" name="hours" checked={n === now} onChange={() => change(n)} />
          <span>{n} h</span>
        </label>
      ))}
    </fieldset>
  )
}

export function OccupancyChart({ name, occupancy }: { name: string; occupancy: Occupancy }) {
  const [times, values] = useMemo(
    () => [occupancy.points.map(({ at }) => Date.parse(at)), occupancy.points.map(({ parked }) => parked)],
    [occupancy],
  )
  return <TimeChart name={name} times={times} values={values} format={count} height={220} steps />
}
