import type { CacheReport, Layer, LookUpOutcome } from '../../src/contract/api.ts'
import { count, latency } from './format.ts'

const LAYERS: readonly Layer[] = ['memory', 'mongodb', 'primary']
const OUTCOMES: readonly LookUpOutcome[] = ['hit', 'miss', 'stale', 'negative', 'coalesced', 'error']

/** Look-ups by layer and outcome, and how long loads from each layer took. */
export function LayerTable({ report }: { report: CacheReport }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="scroll" tabIndex={0} aria-label="Look-ups by layer, table">
      <table class="table">
        <caption class="sr-only">Look-ups by layer and outcome, and the latency of loads</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            {OUTCOMES.map((outcome) => (
              <th key={outcome} scope="col" class="number">
                {outcome}
              </th>
            ))}
            <th scope="col" class="number">
              loads
            </th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              p99
            </th>
          </tr>
        </thead>
        <tbody>
          {LAYERS.map((layer) => (
            <LayerRow key={layer} layer={layer} report={report} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function LayerRow({ layer, report }: { layer: Layer; report: CacheReport }) {
  const outcomes = report.look_ups[layer] ?? {}
  const loads = report.load_seconds[layer]
  return (
    <tr>
      <th scope="row">{layer}</th>
      {OUTCOMES.map((outcome) => {
        const n = outcomes[outcome] ?? 0
        return (
          <td
            key={outcome}
            class={outcome === 'error' && n > 0 ? 'number overdue' : n === 0 ? 'number none' : 'number'}
          >
            {count(n)}
          </td>
        )
      })}
      <td class="number">{loads === undefined ? '–' : count(loads.count)}</td>
      <td class="number">{loads === undefined ? '–' : latency(loads.p50)}</td>
      <td class="number">{loads === undefined ? '–' : latency(loads.p99)}</td>
    </tr>
  )
}
