import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { referencePages } from '../../docs/generate.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8')

const under = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
const PAGES = [...readdirSync(ROOT), ...under('docs'), ...under('helm')].filter((path) => path.endsWith('.md'))

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchorsIn = (path: string): string[] =>
  [...textOf(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))

/** Pages whose commands no test types, and why. */
const NOT_RUN: Record<string, string> = {
  'README.md': 'what continuous integration and the tutorial do',
  'CONTRIBUTING.md': 'ways to run these very tests',
  'docs/explanation/faults.md': 'ways to run these very tests',
  'docs/explanation/speed.md': 'benches, which take long and a quiet machine',
  'docs/how-to/run-with-docker-compose.md': 'needs a Docker engine; compose.test.ts holds what it runs',
}

const tests = under('test').filter((path) => /^test\/(integration|drills)\/.*\.test\.ts$/.test(path))

describe('the documentation', () => {
  test('has a reference that is what the code says (npm run docs makes it anew)', async () => {
    const pages = await referencePages()
    expect(pages.size).toBe(5)
    for (const [name, text] of pages) expect(textOf(`docs/reference/${name}`)).toBe(text)
  })

  test.each(PAGES)('leads from %s only to what is there', (page) => {
    const text = textOf(page).replaceAll(/```[\s\S]*?```/g, '')
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)/g)) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      expect([link, existsSync(join(ROOT, target))]).toEqual([link, true])
      if (anchor !== undefined) expect(anchorsIn(target)).toContain(anchor)
    }
  })

  test('can be reached from its first page, all of it', () => {
    const index = textOf('docs/README.md')
    const listed = PAGES.filter((path) => /^docs\/(how-to|reference|explanation)\//.test(path))
    for (const path of listed) expect(index).toContain(`(${path.slice('docs/'.length)})`)
  })

  test('shows no command that no test runs', () => {
    const typed = tests.map(textOf).join()
    const withCommands = PAGES.filter((path) => /^ *```sh$/m.test(textOf(path)))
    // Of a folder all pages are run.
    const isRun = (path: string) => [path, basename(path), dirname(path)].some((name) => typed.includes(`${name}'`))
    expect(withCommands.length).toBeGreaterThan(20)
    expect(withCommands.filter((path) => !(path in NOT_RUN) && !isRun(path))).toEqual([])
  })

  test('shows no command below a heading that no test follows, where a test follows headings', () => {
    const followed = tests.map(textOf).flatMap((typed) => {
      const pages = [...typed.matchAll(/openHowTo\('(.*?)'\)/g)].map(([, page = '']) => `docs/how-to/${page}`)
      return pages.map((page) => ({ page, typed }))
    })
    expect(followed.length).toBeGreaterThan(5)
    // Of a page that a test names by its path all commands are run.
    const inParts = followed.filter(({ page }) => !tests.some((path) => textOf(path).includes(`'${page}'`)))
    const unfollowed = [...Map.groupBy(inParts, ({ page }) => page)].flatMap(([page, by]) => {
      const sections = textOf(page).split(/^#+ /m)
      const headings = sections.filter((section) => /^ *```sh$/m.test(section)).map((section) => section.split('\n')[0])
      return headings.filter((heading) => !by.some(({ typed }) => typed.includes(`'${heading}'`)))
    })
    expect(unfollowed).toEqual([])
  })
})
