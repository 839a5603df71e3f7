import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createMetrics } from '../../src/operate/metrics.ts'
import { createServeMetrics } from '../../src/serve/metrics.ts'
import { NAMES, VARIABLES } from '../../src/settings/variables.ts'

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const readme = textOf('README.md')

/** The body rows of the table between `<!-- name: … -->` and `<!-- /name -->`, cell by cell. */
function tableOf(name: string, text = readme): string[][] {
  const [, section = ''] = new RegExp(`<!-- ${name}: .*?-->\n([^]*?)<!-- /${name} -->`).exec(text) ?? []
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

  test.each([
    ['the processor', readme, createMetrics],
    ['the read side', textOf('docs/serve.md'), createServeMetrics],
  ])('lists every metric of %s with type, labels and meaning', async (_, text, create) => {
    const { registry, ...metrics } = create()
    const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]))
    const ours = Object.values(metrics).filter((metric) => typeof metric !== 'function')
    const expected = ours.map((metric) => {
      const { name, help, labelNames } = metric as unknown as { name: string; help: string; labelNames: string[] }
      return [`\`${name}\``, types.get(name), labelNames.map((label) => `\`${label}\``).join(', '), help]
    })
    expect(tableOf('metrics', text)).toEqual(expected)
  })

  test('names only files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path)
    expect(links.length).toBeGreaterThan(5)
    for (const path of links.filter((link) => !link.endsWith('/'))) {
      expect(() => readFileSync(new URL(`../../${path}`, import.meta.url))).not.toThrow()
    }
  })
})
