import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Registry } from 'prom-client'
import { parse } from 'yaml'
import { ROOT } from '../../../local/build.ts'
import { createMetrics } from '../../../src/operate/metrics.ts'
import { createServeMetrics } from '../../../src/serve/metrics.ts'
import { panelQueries } from '../../support/dashboards.ts'
import { blocksOf } from '../../support/page-commands.ts'

/** What Prometheus has without us. */
const OF_PROMETHEUS = ['up', 'ALERTS']

async function shownBy({ registry }: { registry: Registry }): Promise<string[]> {
  return (await registry.getMetricsAsJSON()).flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  )
}

interface RulesFile {
  groups: { rules: { record?: string; expr: string }[] }[]
}
const rules = readdirSync(join(ROOT, 'helm/rules'))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => parse(readFileSync(join(ROOT, 'helm/rules', name), 'utf8')) as RulesFile)
  .flatMap(({ groups }) => groups.flatMap((group) => group.rules))

/** The names of series in an expression: what is neither a text, a label, a function, nor a word of the language. */
function seriesIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '')
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*/g)]
    .filter(({ 0: word, index }) => !/^\s*\(/.test(bare.slice(index + word.length)) && !WORDS.has(word))
    .map(([word]) => word)
}
const WORDS = new Set(['and', 'or', 'unless', 'by', 'sum', 'max', 'min', 'count', 'bool', 'e'])

const pages = [
  'docs/how-to/watch.md',
  ...readdirSync(join(ROOT, 'docs/runbooks')).map((name) => `docs/runbooks/${name}`),
]
const asked: [where: string, expression: string][] = [
  ...rules.map(({ expr }) => ['helm/rules', expr] as [string, string]),
  ...panelQueries().map(({ dashboard, expression }) => [dashboard, expression] as [string, string]),
  ...pages.flatMap((page) =>
    blocksOf(page).flatMap(({ language, text }) => (language === 'promql' ? [[page, text] as [string, string]] : [])),
  ),
]

test('every series that a rule, a dashboard or a page asks for is one that the program shows, or a rule records', async () => {
  const known = new Set([
    ...OF_PROMETHEUS,
    ...(await shownBy(createMetrics())),
    ...(await shownBy(createServeMetrics())),
    ...rules.flatMap(({ record }) => record ?? []),
  ])
  expect(asked.length).toBeGreaterThan(100)
  const unknown = asked.flatMap(([where, expression]) =>
    seriesIn(expression).flatMap((name) => (known.has(name) ? [] : [`${where}: ${name}`])),
  )
  expect(unknown).toEqual([])
})

test('what pages name in running text is there too', async () => {
  const known = new Set(
    [...(await shownBy(createMetrics())), ...(await shownBy(createServeMetrics()))].flatMap((name) => [
      name,
      name.replace(/_(bucket|sum|count)$/, ''),
    ]),
  )
  const named = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/(?<![:\w])pm_(?!parking_events?\b)[a-z_]+/g)].map(
      ([name]) => `${page}: ${name}`,
    ),
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((one) => !known.has(one.split(': ')[1] as string))).toEqual([])
})

test('what pages say that a log says, a log says', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
    .join()
  const told = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/log says ((?:`[^`]+`(?:, or )?)+)/g)].flatMap(
      ([, texts = '']) => [...texts.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
    ),
  )
  expect(told.length).toBeGreaterThan(10)
  expect(told.filter((text) => !sources.includes(text))).toEqual([])
})
