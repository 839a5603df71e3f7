import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A package that package-lock.json names, at one place of the tree. */
export interface Dependency {
  name: string
  version: string
  /** Where it is installed, from the root. */
  path: string
  /** It comes with the program; else it only builds or tests it. */
  shipped: boolean
  /** What it says of itself, an SPDX expression; null: nothing. */
  licence: string | null
}

interface Locked {
  version: string
  name?: string
  license?: string
  dev?: boolean
}

interface Manifest {
  license?: string
  /** How packages said it long ago. */
  licenses?: { type: string }[]
}

/** All of them, those for other systems too. */
export async function dependencies(root: string): Promise<Dependency[]> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const installed = Object.entries(packages).filter(([path]) => path !== '')
  return Promise.all(
    installed.map(async ([path, { version, name, license, dev }]) => ({
      name: name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      ...{ version, path, shipped: dev !== true },
      licence: license ?? (await licenceOf(join(root, path))),
    })),
  )
}

/** For the few of which the lock file does not tell it. */
async function licenceOf(directory: string): Promise<string | null> {
  const text = await readFile(join(directory, 'package.json'), 'utf8').catch(() => '{}')
  const { license, licenses } = JSON.parse(text) as Manifest
  return license ?? licenses?.map(({ type }) => type).join(' OR ') ?? null
}
