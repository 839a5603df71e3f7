import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { GOLDEN } from '../../support/helm/cases.ts'
import { expectKept } from '../../support/helm/kept.ts'
import { CHART, template } from '../../support/helm/manifests.ts'

const directory = fileURLToPath(new URL('golden', import.meta.url))
mkdirSync(directory, { recursive: true })
const fileOf = (name: string) => join(directory, `${name}.golden`)
const VERSION = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')).version

test.each(Object.entries(GOLDEN))('the objects of %s are those of its golden file', async (name, values) => {
  const { ok, text } = await template(values)
  expect(ok ? '' : text).toBe('')
  // Neither the version nor what Helm puts between objects is of interest.
  const kept = text.replaceAll(VERSION, 'VERSION').replace(/\n{2,}/g, '\n')
  expectKept(fileOf(name), kept)
})

test('there are no other golden files', () => {
  expect(readdirSync(directory).sort()).toEqual(
    Object.keys(GOLDEN)
      .map((name) => `${name}.golden`)
      .sort(),
  )
})
