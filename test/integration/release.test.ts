import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ROOT } from '../../local/build.ts'
import { makeArtefacts } from '../../release/artefacts.ts'
import { dependencies } from '../../release/dependencies.ts'
import { nameOf, type Sbom } from '../../release/sbom.ts'
import { actionlint, zizmor } from '../support/workflow-linters.ts'

const execute = promisify(execFile)
const EPOCH = 1_795_000_000

let directory: string
let out: string
let names: string[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pm-parking-release-'))
  // The dist of this checkout belongs to the other tests.
  const copy = join(directory, 'checkout')
  const { stdout } = await execute('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT })
  const files = stdout.split('\0').filter((file) => /^(src|web|schemas)\/|^[^/]+$/.test(file))
  for (const file of files) await cp(join(ROOT, file), join(copy, file), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  out = join(directory, 'artefacts')
  names = await makeArtefacts(copy, out, EPOCH)
}, 300_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

const textOf = (name: string) => readFile(join(out, name), 'utf8')

describe('what a release consists of', () => {
  test('is a package that two builds made alike, its SBOM, and the digests of both', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    const file = `pm-parking-events-${version}.tgz`
    expect(names).toEqual([file, 'sbom.cdx.json', 'SHA256SUMS'])
    expect((await readdir(out)).sort()).toEqual([...names].sort())
    await execute('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: out })
  })

  test('the package has the program, its page with who made its parts, schemas and licence, and nothing else', async () => {
    const { stdout } = await execute('tar', ['-tzf', join(out, names[0] as string)])
    const files = stdout.trim().split('\n')
    expect(files).toEqual(
      expect.arrayContaining([
        ...['package/dist/main.js', 'package/dist/web/index.html', 'package/dist/web/third-party.md'],
        ...['package/schemas/event.avsc', 'package/LICENSE', 'package/CHANGELOG.md', 'package/README.md'],
      ]),
    )
    const outside = /^package\/(dist\/|schemas\/|(package\.json|LICENSE|CHANGELOG\.md|README\.md)$)/
    expect(files.filter((file) => !outside.test(file))).toEqual([])
  })

  test('the SBOM is valid CycloneDX, and names every package that is shipped and no other', async () => {
    const text = await textOf('sbom.cdx.json')
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5)
    expect(await validator.validate(text)).toBeNull()
    const bom = JSON.parse(text) as Sbom
    expect(bom.metadata.component).toMatchObject({ type: 'application', name: 'pm-parking-events' })
    const listed = bom.components.map((component) => `${nameOf(component)}@${component.version}`)
    const shipped = (await dependencies(ROOT))
      .filter((one) => one.shipped)
      .map(({ name, version }) => `${name}@${version}`)
    const notice = await readFile(join(directory, 'checkout', 'dist', 'web', 'third-party.md'), 'utf8')
    const ofPage = [...notice.matchAll(/^## (\S+) - (\S+) \(/gm)].map(([, name, version]) => `${name}@${version}`)
    expect(ofPage.map((one) => one.replace(/@.*/, ''))).toEqual(['preact', 'uplot'])
    expect([...new Set(listed)].sort()).toEqual([...new Set([...shipped, ...ofPage])].sort())
  })
})

test('the script tells how it is used, and makes nothing of what is no version', async () => {
  const script = join(ROOT, 'release', 'release.ts')
  const { stdout } = await execute(process.execPath, [script, '--help'], { cwd: dirname(script) })
  expect(stdout).toContain('Example:\n  node release/release.ts prepare 0.2.0')
  const wrong = await execute(process.execPath, [script, 'prepare', 'v0.2']).catch((error) => error)
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/must be given as 1\.2\.3, and not as v0\.2\n.*--help/),
  })
})

test('the linters of workflows find nothing, neither wrong nor unsafe', async () => {
  const workflows = join(ROOT, '.github', 'workflows')
  const files = (await readdir(workflows)).map((file) => join(workflows, file))
  expect(await actionlint(files)).toBe('')
  expect(await zizmor(join(ROOT, '.github'))).toBe('')
}, 300_000)
