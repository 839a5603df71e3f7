/** What a reader of the dashboards chooses, and how queries follow it. */
import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'

export const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

/**
 * In every selector. Where nothing has a namespace, as without Kubernetes, "All" stands for it: `.*` also matches a label that is
 * not there.
 */
export const CHOSEN = 'namespace=~"$namespace", job=~"$job"'

const labelOf = (name: string, selector: string) =>
  new QueryVariableBuilder(name)
    .label(name)
    .datasource(DATASOURCE)
    .query({ query: `label_values(${selector}, ${name})`, refId: name })
    .definition(`label_values(${selector}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' })

export const variables = () => [
  new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
  labelOf('namespace', 'pm_build_info'),
  labelOf('job', 'pm_build_info{namespace=~"$namespace"}'),
]
