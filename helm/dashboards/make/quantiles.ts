import type { Query } from './panels.ts'
import { CHOSEN } from './variables.ts'

/** The quantiles of a histogram, over all processes. */
export function quantiles(metric: string, of: readonly number[], more = ''): Query[] {
  const selector = `${metric}_bucket{${CHOSEN}${more === '' ? '' : `, ${more}`}}`
  return of.map((q) => [
    `histogram_quantile(${q}, sum by (le) (rate(${selector}[$__rate_interval])))`,
    `p${Number((100 * q).toFixed(1))}`,
  ])
}

/** One quantile for each value of a label. */
export function quantileBy(label: string, metric: string, q: number, more = ''): Query {
  const selector = `${metric}_bucket{${CHOSEN}${more === '' ? '' : `, ${more}`}}`
  return [`histogram_quantile(${q}, sum by (le, ${label}) (rate(${selector}[$__rate_interval])))`, `{{${label}}}`]
}
