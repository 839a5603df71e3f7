import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { variables } from './variables.ts'

const TAG = 'pm-parking-events'

/** A row with its heading, and its panels from left to right. */
export type Row = readonly [heading: string, ...panels: Builder<Panel>[]]

/** A dashboard; `name` is that of its file and part of its address. */
export function board(name: string, title: string, description: string, rows: readonly Row[]): Dashboard {
  const builder = new DashboardBuilder(`Parking events: ${title}`)
    .uid(`${TAG}-${name}`)
    .description(description)
    .tags([TAG])
    .editable()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables())
    .link(
      new DashboardLinkBuilder('Parking events')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
  for (const [heading, ...panels] of rows) {
    builder.withRow(new RowBuilder(heading))
    for (const panel of panels) builder.withPanel(panel)
  }
  return builder.build()
}
