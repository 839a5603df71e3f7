import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MAIN, ROOT } from '../../local/build.ts'
import { installed, run } from '../../local/native/install.ts'
import type { Program } from './service.ts'

/** A released version, as it was built from its commit. */
export interface Release {
  version: string
  /** Its checkout, with `dist` and what that needs to run. */
  directory: string
  program: Program
}

/** The program as it is built here. */
export const PRESENT: Program = { node: process.execPath, main: MAIN }

const COMMIT = /^## (\d+\.\d+\.\d+)[^\n]*\n+Commit `([0-9a-f]{40})`/m

/**
 * The newest release that CHANGELOG.md names with its commit: that commit, installed and built once, and kept in the
 * user's cache. @throws when this clone does not have the commit, with the remedy
 */
export async function lastRelease(): Promise<Release> {
  const [, version, commit] = COMMIT.exec(await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')) ?? []
  if (version === undefined || commit === undefined) throw new Error('CHANGELOG.md names no release with its commit')
  await assertIsHere(version, commit)
  const directory = await installed(
    {
      directory: `release-${version}-${commit.slice(0, 12)}`,
      what: `Building release ${version}`,
      fill: (target) => buildIn(target, commit),
    },
    () => undefined,
  )
  return { version, directory, program: { node: process.execPath, main: join(directory, 'dist', 'main.js') } }
}

async function assertIsHere(version: string, commit: string): Promise<void> {
  await run('git', ['cat-file', '-e', `${commit}^{commit}`], ROOT).catch((cause) => {
    throw new Error(
      `Commit ${commit} of release ${version}, which CHANGELOG.md names, is not in this clone. ` +
        'Get the whole history: git fetch --unshallow',
      { cause },
    )
  })
}

async function buildIn(directory: string, commit: string): Promise<void> {
  const archive = join(directory, 'release.tar')
  await run('git', ['archive', '--output', archive, commit], ROOT)
  await run('tar', ['-xf', archive, '-C', directory])
  await rm(archive)
  const npm = (...args: string[]) => run('npm', [...args, '--no-audit', '--no-fund'], directory)
  await npm('ci')
  await npm('run', 'build')
  await npm('prune', '--omit=dev') // what is left is what the release runs with
}
