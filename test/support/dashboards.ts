import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../local/build.ts'

const FOLDER = join(ROOT, 'helm/dashboards')

/** A query of a panel, as it stands in the dashboard. */
export interface PanelQuery {
  dashboard: string
  panel: string
  expression: string
}

interface Panel {
  title?: string
  panels?: Panel[]
  targets?: { expr: string }[]
}

export interface DashboardFile {
  uid: string
  panels: Panel[]
  templating: { list: { name: string; type: string; query: string | { query: string } }[] }
}

/** The dashboards that are committed, by name. */
export function dashboardFiles(): Map<string, DashboardFile> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  return new Map(files.map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))]))
}

export const panelsOf = ({ panels }: { panels?: Panel[] }): Panel[] =>
  (panels ?? []).flatMap((panel) => [panel, ...panelsOf(panel)])

export const panelQueries = (): PanelQuery[] =>
  [...dashboardFiles()].flatMap(([dashboard, file]) =>
    panelsOf(file).flatMap(({ title = '', targets = [] }) =>
      targets.map(({ expr }) => ({ dashboard, panel: title, expression: expr })),
    ),
  )

/** As Grafana would send it, with "All" chosen. */
export const filledIn = (expression: string): string =>
  expression
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(namespace|job)\b/g, '.*')
