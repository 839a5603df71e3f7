import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createMetrics } from '../../src/operate/metrics.ts'
import { NAMES, VARIABLES } from '../../src/settings/variables.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The body rows of the table between `<!-- name: … -->` and `<!-- /name -->`, cell by cell. */
function tableOf(name: string): string[][] {
  const [, section = ''] = new RegExp(`<!-- ${name}: .*?-->\n([^]*?)<!-- /${name} -->`).exec(readme) ?? []
  const rows = section.trim().split('\n').slice(2)
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('the README', () => {
  test('lists every setting with its default and meaning', () => {
    const expected = NAMES.map((name) => {
      const { fallback, meaning, fromFile } = VARIABLES[name]
      return [`\`${name}\`${fromFile ? ' †' : ''}`, fallback === null ? '' : `\`${fallback}\``, meaning]
    })
    expect(tableOf('settings')).toEqual(expected)
  })

  test('lists every metric of ours with type, labels and meaning', async () => {
    const { registry, ...metrics } = createMetrics()
    const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]))
    const expected = Object.values(metrics).map((metric) => {
      const { name, help, labelNames } = metric as unknown as { name: string; help: string; labelNames: string[] }
      return [`\`${name}\``, types.get(name), labelNames.map((label) => `\`${label}\``).join(', '), help]
    })
    expect(tableOf('metrics')).toEqual(expected)
  })

  test('names only files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path)
    expect(links.length).toBeGreaterThan(5)
    for (const path of links.filter((link) => !link.endsWith('/'))) {
      expect(() => readFileSync(new URL(`../../${path}`, import.meta.url))).not.toThrow()
    }
  })
})
