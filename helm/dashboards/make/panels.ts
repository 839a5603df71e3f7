/** Panels in the few forms that the dashboards have. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { DATASOURCE } from './variables.ts'

/** PromQL, and how its series are called. */
export type Query = readonly [expression: string, legend: string]

interface Look {
  title: string
  /** What one sees, and what of it is bad. */
  tells: string
  unit: string
  queries: readonly Query[]
  /** Of 24. */
  width?: number
}

const REF_IDS = 'ABCDEFGH'

const targetsOf = (queries: readonly Query[], isInstant: boolean) =>
  queries.map(([expression, legend], i) => {
    const query = new DataqueryBuilder()
      .refId(REF_IDS[i] as string)
      .expr(expression)
      .legendFormat(legend)
    return isInstant ? query.instant() : query.range()
  })

/** Lines over time; `stacked` where their sum says something too. */
export function lines({
  title,
  tells,
  unit,
  queries,
  width = 12,
  stacked = false,
  limit,
}: Look & { stacked?: boolean; limit?: number }) {
  const panel = dressed(new TimeSeriesBuilder(), { title, tells, unit, width }, 8)
    .min(0)
    .fillOpacity(stacked ? 40 : 10)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(targetsOf(queries, false))
  if (stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
  if (limit !== undefined) panel.thresholds(redFrom(limit)).thresholdsStyle({ build: () => LINE })
  return panel
}

const LINE = { mode: GraphThresholdsStyleMode.Dashed }

/** What all kinds of panels have. */
interface Dressed {
  title(text: string): this
  description(text: string): this
  unit(text: string): this
  datasource(source: typeof DATASOURCE): this
  span(columns: number): this
  height(rows: number): this
}

const dressed = <P extends Dressed>(
  panel: P,
  { title, tells, unit, width }: Omit<Required<Look>, 'queries'>,
  height: number,
): P => panel.title(title).description(tells).unit(unit).datasource(DATASOURCE).span(width).height(height)

/** The newest value, large: green, and red from `redFrom` on, or below `redBelow`. */
export function value({
  title,
  tells,
  unit,
  queries,
  width = 4,
  decimals,
  ...bad
}: Look & { decimals?: number; redFrom?: number; redBelow?: number }) {
  const panel = dressed(new StatBuilder(), { title, tells, unit, width }, 4)
    .noValue('–')
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .targets(targetsOf(queries, true))
  if (decimals !== undefined) panel.decimals(decimals)
  if (bad.redFrom !== undefined) return panel.thresholds(redFrom(bad.redFrom))
  if (bad.redBelow !== undefined) return panel.thresholds(steps('red', bad.redBelow, 'green'))
  return panel.thresholds(steps('text'))
}

/** A row for each series, as it is now. */
export function table({ title, tells, unit, queries, width = 12 }: Look) {
  return dressed(new TableBuilder(), { title, tells, unit, width }, 8)
    .noValue('none')
    .targets(targetsOf(queries, true).map((query) => query.format(PromQueryFormat.Table)))
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true, __name__: true } } })
}

const redFrom = (from: number) => steps('green', from, 'red')

function steps(first: string, from?: number, then?: string) {
  const all = [{ value: null, color: first }, ...(from === undefined ? [] : [{ value: from, color: then as string }])]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all)
}
