import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { dashboards } from '../../../helm/dashboards/make/dashboards.ts'
import { ROOT } from '../../../local/build.ts'
import { dashboardFiles, panelQueries, panelsOf } from '../../support/dashboards.ts'

describe('the dashboards', () => {
  test('that are committed are what their code makes (npm run dashboards makes them anew)', () => {
    const made = dashboards()
    expect(made.map(([name]) => name).toSorted()).toEqual([...dashboardFiles().keys()].toSorted())
    for (const [name, text] of made) expect(readFileSync(join(ROOT, `helm/dashboards/${name}.json`), 'utf8')).toBe(text)
  })

  test.each([...dashboardFiles()])(
    '%s: takes the chosen Prometheus, jobs and namespaces in every query',
    (name, file) => {
      expect(file.uid).toBe(`pm-parking-events-${name}`)
      expect(file.templating.list.map((variable) => variable.name)).toEqual(['datasource', 'namespace', 'job'])
      for (const panel of panelsOf(file)) {
        if (!panel.targets?.length) continue
        expect([panel.title, panel]).toMatchObject([
          panel.title,
          { datasource: { type: 'prometheus', uid: '$datasource' } },
        ])
        expect([panel.title, panel]).toMatchObject([panel.title, { description: expect.stringMatching(/\.$/) }])
      }
      const withoutChoice = panelQueries().filter(
        ({ dashboard, expression }) => dashboard === name && !/namespace=~"\$namespace", job=~"\$job"/.test(expression),
      )
      // ALERTS has no job where nobody is left.
      expect(withoutChoice.map(({ panel }) => panel)).toEqual(
        name === 'overview' ? ['Alerts that fire or are about to'] : [],
      )
    },
  )

  test('have no two panels in one place', () => {
    for (const file of dashboardFiles().values()) {
      const places = panelsOf(file).map((panel) => JSON.stringify((panel as { gridPos?: unknown }).gridPos))
      expect(new Set(places).size).toBe(places.length)
    }
  })
})
