import { count, many } from './format.ts'
import { toneOf } from './tone.ts'
import { type Totals as Numbers, wordsOf } from './zone-order.ts'

/** How many are parked, of how many zones or of one, and how they stand. */
export function Totals({ totals, zones }: { totals: Numbers; zones?: number }) {
  return (
    <div class="totals">
      <p class="figure" data-testid="parked">
        <strong>{count(totals.parked)}</strong>
        <span>parked now{zones !== undefined && `, in ${many(zones, 'zone')}`}</span>
      </p>
      <StatusBar by_status={totals.by_status} of={Math.max(totals.parked, 1)} />
      <ul class="legend">
        {wordsOf(totals.by_status).map(([word, n]) => (
          <li key={word} class={`tone-${toneOf(word)}`}>
            <span class="status-word" title={word}>
              <bdi>{word}</bdi>
            </span>
            <span class="number">{count(n)}</span>
          </li>
        ))}
        <li class={totals.overdue > 0 ? 'legend-overdue tone-wrong' : 'legend-overdue tone-plain'}>
          <span>of them overdue</span>
          <span class="number">{count(totals.overdue)}</span>
        </li>
      </ul>
    </div>
  )
}

/** The parts of a number by status, beside the numbers that say the same. */
export function StatusBar({ by_status, of }: { by_status: Record<string, number>; of: number }) {
  return (
    <span class="bar" aria-hidden="true">
      {wordsOf(by_status).map(([word, n]) => (
        <span key={word} class={`bar-part tone-${toneOf(word)}`} style={{ width: `${(100 * n) / of}%` }} />
      ))}
    </span>
  )
}
