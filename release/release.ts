/** The steps of a release. Nothing here commits, tags or pushes: the commands that do are printed. */
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeArtefacts, SUMS } from './artefacts.ts'
import { dayOf, goOn } from './changelog.ts'
import { checkLicences } from './licences.ts'
import { outputOf } from './output-of.ts'
import { setVersion, versionOf } from './versions.ts'

const HELP = `Usage: node release/release.ts prepare <version> [--execute]
       node release/release.ts artefacts <version> [--out DIRECTORY]
       node release/release.ts after <version> <next version> [--execute]

  prepare    checks that a release can be made from here: a clean main, a dated entry in CHANGELOG.md, licences, advisories;
             with --execute it sets the version everywhere, to be committed and tagged by you
  artefacts  builds the package twice, from the same bytes to the same bytes, and writes it with its SBOM (CycloneDX) and ${SUMS};
             on a tag the workflow release.yml does it, and attests their provenance
  after      once the release is tagged: names its commit in CHANGELOG.md, and goes on towards the next version

Without --execute, prepare and after only tell what they would do.

Options:
  --out DIRECTORY  where artefacts go; must be empty or not there [artefacts]
  --execute        change files indeed
  -h, --help       this text

Example:
  node release/release.ts prepare 0.2.0`

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const print = (line: string) => process.stdout.write(`${line}\n`)
const git = async (...args: string[]) => (await outputOf('git', args, ROOT)).trim()

class Wrong extends Error {}

function versionFrom(text: string | undefined, what: string): string {
  if (text !== undefined && /^\d+\.\d+\.\d+$/.test(text)) return text
  throw new Wrong(`${what} must be given as 1.2.3${text === undefined ? '' : `, and not as ${text}`}`)
}

const changelog = () => readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')

/** Each with what is to be done where it fails; all are tried, so that one run tells all. */
async function failures(version: string): Promise<string[]> {
  const checks: [what: string, check: () => Promise<unknown>][] = [
    ['the tree is clean and on main', assertClean],
    ['there is no such tag yet', () => assertNoTag(version)],
    ['CHANGELOG.md has it, with its day', async () => dayOf(await changelog(), version)],
    ['the version is the same everywhere', () => versionOf(ROOT)],
    ['all licences are allowed', () => checkLicences(ROOT)],
    [
      'no advisory is about what is shipped',
      () => outputOf('npm', ['audit', '--omit=dev', '--audit-level=moderate'], ROOT),
    ],
  ]
  const failed: string[] = []
  for (const [what, check] of checks) {
    const error = await check().then(
      () => null,
      (thrown: Error) => thrown.message,
    )
    print(`${error === null ? 'yes' : 'NO '}  ${what}`)
    if (error !== null) failed.push(`${what}: ${error}`)
  }
  return failed
}

async function assertClean(): Promise<void> {
  const branch = await git('branch', '--show-current')
  if (branch !== 'main') throw new Error(`this is ${branch || 'no branch'}: git switch main`)
  const changed = await git('status', '--porcelain')
  if (changed !== '') throw new Error(`these are not committed:\n${changed}`)
}

async function assertNoTag(version: string): Promise<void> {
  if ((await git('tag', '--list', `v${version}`)) !== '')
    throw new Error(`v${version} is there: choose the next version`)
}

async function prepare(version: string, execute: boolean): Promise<number> {
  const failed = await failures(version)
  if (failed.length > 0) {
    print(`\nNot ready:\n${failed.map((line) => `- ${line}`).join('\n')}`)
    return 1
  }
  if (execute) await setVersion(ROOT, version)
  print(`\n${execute ? 'Version set. Now' : `Would set the version to ${version}; then`}:
  git commit -am "Release ${version}" && git tag -s v${version} -m ${version} && git push origin main v${version}
  node release/release.ts after ${version} <next version> --execute`)
  return 0
}

async function artefacts(version: string, out: string): Promise<number> {
  const own = await versionOf(ROOT)
  if (own !== version) throw new Error(`This is ${own} and not ${version}: git switch --detach v${version}`)
  const names = await makeArtefacts(ROOT, out, Number(await git('log', '-1', '--format=%ct')))
  print(`${out}: ${names.join(', ')}\n\n${await readFile(join(out, SUMS), 'utf8')}`)
  return 0
}

async function after(version: string, next: string, execute: boolean): Promise<number> {
  const sha = await git('rev-parse', `v${version}^{commit}`)
  const text = goOn(await changelog(), version, sha, next)
  const development = `${next}-dev`
  print(`${execute ? 'Named' : 'Would name'} ${sha} in CHANGELOG.md, and go on as ${development}`)
  if (!execute) return 0
  await writeFile(join(ROOT, 'CHANGELOG.md'), text)
  await setVersion(ROOT, development)
  print(`Now: git commit -am "Go on towards ${next}"`)
  return 0
}

async function main(argv: string[]): Promise<number> {
  const options = {
    out: { type: 'string' },
    execute: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true })
  const [verb, version, next] = positionals
  if (values.help) {
    print(HELP)
    return 0
  }
  const execute = values.execute === true
  if (verb === 'prepare') return prepare(versionFrom(version, 'The version'), execute)
  if (verb === 'artefacts') return artefacts(version ?? (await versionOf(ROOT)), resolve(values.out ?? 'artefacts'))
  if (verb === 'after')
    return after(versionFrom(version, 'The version'), versionFrom(next, 'The next version'), execute)
  throw new Wrong('prepare, artefacts or after? Say which')
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isWrong = error instanceof Wrong || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  process.stderr.write(`${(error as Error).message}\n${isWrong ? 'Try: node release/release.ts --help\n' : ''}`)
  process.exitCode = isWrong ? 2 : 1
}
