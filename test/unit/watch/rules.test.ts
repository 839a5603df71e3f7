import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { ROOT } from '../../../local/build.ts'
import { run } from '../../../local/native/install.ts'
import { assertPrometheus } from '../../../local/native/prometheus.ts'
import { blocksOf } from '../../support/page-commands.ts'

interface Rule {
  record?: string
  alert?: string
  expr: string
  labels?: { severity: string }
  annotations?: { summary: string; description: string; runbook: string }
}

interface Expectation {
  expr: string
  exp_samples?: { labels: string }[]
}

const yamlFiles = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(ROOT, folder, name))
const RULES = yamlFiles('helm/rules')
const TESTS = yamlFiles('test/rules')
const read = <T>(path: string) => parse(readFileSync(path, 'utf8')) as T

const rules = RULES.flatMap((path) => read<{ groups: { rules: Rule[] }[] }>(path).groups).flatMap(
  (group) => group.rules,
)
const alerts = rules.filter(({ alert }) => alert !== undefined) as (Rule &
  Required<Pick<Rule, 'annotations' | 'labels'>>)[]
const names = new Set(alerts.map(({ alert }) => alert as string))
const expectations = TESTS.flatMap(
  (path) => read<{ tests: { promql_expr_test: Expectation[] }[] }>(path).tests,
).flatMap(({ promql_expr_test: all }) => all)

describe('the rules', () => {
  beforeAll(assertPrometheus)

  test('are what Prometheus takes', async () => {
    expect(await run('promtool', ['check', 'rules', ...RULES])).toContain('SUCCESS')
  })

  test('are what pages ask for too: Prometheus understands each query', async () => {
    const queries = ['docs/runbooks', 'docs/how-to'].flatMap((folder) =>
      readdirSync(join(ROOT, folder)).flatMap((name) =>
        blocksOf(`${folder}/${name}`).flatMap(({ language, text }) => (language === 'promql' ? [text] : [])),
      ),
    )
    expect(queries.length).toBeGreaterThan(names.size)
    const directory = mkdtempSync(join(tmpdir(), 'queries-'))
    try {
      const file = join(directory, 'queries.yaml')
      const recorded = queries.map((expr, i) => ({ record: `query:${i}`, expr }))
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules: recorded }] }))
      expect(await run('promtool', ['check', 'rules', file])).toContain('SUCCESS')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test.each(TESTS.map((path) => path.replace(`${ROOT}/`, '')))(
    'fire when they must and are silent when they must not: %s',
    async (path) => {
      await run('promtool', ['test', 'rules', join(ROOT, path)])
    },
    120_000,
  )

  describe.each(alerts.map((alert) => [`${alert.alert} (${alert.labels.severity})`, alert] as const))(
    '%s',
    (_, rule) => {
      const { alert, labels, annotations } = rule
      const own = expectations.filter(({ expr }) => expr.includes(`"${alert}"`))
      const isOf = ({ labels: sample }: { labels: string }) => sample.includes(`severity="${labels.severity}"`)
      const firings = own.flatMap(({ exp_samples = [] }) => exp_samples).filter(isOf)

      test('is tested to fire, and to be silent', () => {
        expect(firings.length).toBeGreaterThan(0)
        expect(own.some(({ exp_samples = [] }) => exp_samples.length === 0)).toBe(true)
      })

      test('says what it names: its labels are there when it fires', () => {
        const text = Object.values(annotations).join(' ')
        for (const [, label = ''] of text.matchAll(/\$labels\.(\w+)/g)) {
          for (const firing of firings) expect(firing.labels).toContain(`${label}="`)
        }
      })

      test('has a severity, and a page', () => {
        expect(['critical', 'warning', 'info']).toContain(labels.severity)
        expect(annotations.runbook).toBe(`docs/runbooks/${alert}.md`)
        const page = readFileSync(join(ROOT, annotations.runbook), 'utf8')
        expect(page.startsWith(`# ${alert}\n`)).toBe(true)
        for (const part of ['## How to see it', '## Why', '## What to do', '## What not to do']) {
          expect(page).toContain(`\n${part}\n`)
        }
        // Commands within a list are found by no test.
        expect(page).not.toMatch(/^ +```/m)
      })
    },
  )

  test('all stand in the table of docs/how-to/watch.md, with their severities', () => {
    const rows = [...names].map((name) => {
      const own = alerts.filter(({ alert }) => alert === name)
      const severities = own.map(({ labels }) => labels.severity).join(', ')
      return `| [${name}](../runbooks/${name}.md) | ${severities} | ${own[0]?.annotations.summary} |`
    })
    const page = readFileSync(join(ROOT, 'docs/how-to/watch.md'), 'utf8')
    expect(page.split('\n').filter((line) => line.startsWith('| [Parking'))).toEqual(rows)
  })

  test('each page is that of an alert', () => {
    const pages = readdirSync(join(ROOT, 'docs/runbooks')).filter((name) => name !== 'README.md')
    expect(pages.map((page) => page.replace('.md', '')).toSorted()).toEqual([...names].toSorted())
  })
})
