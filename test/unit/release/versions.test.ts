import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ROOT } from '../../../local/build.ts'
import { dayOf, goOn } from '../../../release/changelog.ts'
import { setVersion, versionOf, versionsIn } from '../../../release/versions.ts'

let copy: string

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'pm-parking-versions-'))
  for (const file of ['package.json', 'package-lock.json', 'helm/Chart.yaml', 'schemas/asyncapi.yaml']) {
    await mkdir(dirname(join(copy, file)), { recursive: true })
    await cp(join(ROOT, file), join(copy, file))
  }
})
afterAll(() => rm(copy, { recursive: true, force: true }))

test('the version is the same in package, lock file, chart and AsyncAPI', async () => {
  expect(await versionOf(ROOT)).toBe(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version)
})

test('is set everywhere at once, and nothing else is', async () => {
  const before = await readFile(join(copy, 'package-lock.json'), 'utf8')
  const own = await versionOf(copy)
  await setVersion(copy, '7.8.9')
  expect(await versionOf(copy)).toBe('7.8.9')
  const lines = (text: string) => text.split('\n')
  const after = lines(await readFile(join(copy, 'package-lock.json'), 'utf8'))
  expect(lines(before).filter((line, i) => line !== after[i])).toHaveLength(2)
  await setVersion(copy, own)
  expect(await readFile(join(copy, 'package-lock.json'), 'utf8')).toBe(before)
})

test('that differs in one place is told, with the places', async () => {
  const chart = join(copy, 'helm/Chart.yaml')
  const text = await readFile(chart, 'utf8')
  await writeFile(chart, text.replace(/^appVersion: .*$/m, 'appVersion: 9.9.9'))
  await expect(versionOf(copy)).rejects.toThrow(/not the same everywhere: package\.json .*helm\/Chart\.yaml 9\.9\.9/)
  await writeFile(chart, text.replace(/^appVersion: .*\n/m, ''))
  await expect(versionsIn(copy)).rejects.toThrow(/stands 5 times/)
})

const CHANGELOG = `# Changelog

## 1.2.0, 2026-12-24

- It is faster.

## 1.1.0, 2026-11-27

Commit \`abc\`.
`

test('a release has its day at the top of the changelog', () => {
  expect(dayOf(CHANGELOG, '1.2.0')).toBe('2026-12-24')
  expect(() => dayOf(CHANGELOG, '1.3.0')).toThrow('must begin with "## 1.3.0, <year>-<month>-<day>"')
  expect(() => dayOf('## 1.2.0 (not released)\n', '1.2.0')).toThrow('begins with "## 1.2.0 (not released)"')
})

test('after a release its commit is named, and the next version begun', () => {
  expect(goOn(CHANGELOG, '1.2.0', 'deadbeef', '1.3.0')).toBe(
    CHANGELOG.replace(
      '## 1.2.0, 2026-12-24\n',
      '## 1.3.0 (not released)\n\n## 1.2.0, 2026-12-24\n\nCommit `deadbeef`.\n',
    ),
  )
})
