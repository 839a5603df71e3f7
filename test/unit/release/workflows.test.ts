import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { ROOT } from '../../../local/build.ts'

const directory = join(ROOT, '.github', 'workflows')
const files = readdirSync(directory)
const textOf = (file: string) => readFileSync(join(directory, file), 'utf8')

test.each(files)('%s names each action by its commit, with the version beside it', (file) => {
  const uses = textOf(file).match(/uses:.*$/gm) ?? []
  expect(uses.length).toBeGreaterThan(3)
  expect(uses.filter((line) => !/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
})

test.each(files)('%s has one commit for each action, wherever it is named', (file) => {
  const all = files.flatMap((one) => textOf(one).match(/uses:.*$/gm) ?? [])
  const mine = textOf(file).match(/uses: [\w./-]+/g) ?? []
  for (const action of mine) expect(new Set(all.filter((line) => line.startsWith(`${action}@`))).size).toBe(1)
})

test('only what signs or pushes a release may write anything', () => {
  expect(textOf('ci.yml')).not.toMatch(/: write/)
  expect(textOf('release.yml')).toMatch(/^permissions: \{\}$/m)
  expect(
    textOf('release.yml')
      .match(/^ +[\w-]+: write/gm)
      ?.map((line) => line.trim()),
  ).toEqual([
    ...['id-token: write', 'attestations: write', 'contents: write'],
    ...['packages: write', 'id-token: write', 'attestations: write'],
  ])
})
