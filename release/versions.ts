/** Where the version of the program stands; it is the same everywhere. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface Place {
  file: string
  /** Its first group is what stands before a version, the second the version. */
  pattern: RegExp
}

const PLACES: readonly Place[] = [
  { file: 'package.json', pattern: /^( {2}"version": ")([^"]+)/gm },
  // Of the file itself, and of the package at the root.
  {
    file: 'package-lock.json',
    pattern:
      /^((?: {2}| {6})"version": ")([^"]+)(?=",\n(?: {2}"lockfile| {6}"license": "Apache-2\.0",\n {6}"dependencies"))/gm,
  },
  { file: 'helm/Chart.yaml', pattern: /^((?:version|appVersion): )(\S+)$/gm },
  { file: 'schemas/asyncapi.yaml', pattern: /^( {2}version: )(\S+)$/gm },
]
/** How often it stands in all of them. */
const TIMES = 6

export interface Found {
  file: string
  version: string
}

export async function versionsIn(root: string): Promise<Found[]> {
  const found: Found[] = []
  for (const { file, pattern } of PLACES) {
    const text = await readFile(join(root, file), 'utf8')
    for (const [, , version = ''] of text.matchAll(pattern)) found.push({ file, version })
  }
  if (found.length !== TIMES)
    throw new Error(`The version stands ${found.length} times and not ${TIMES}: ${JSON.stringify(found)}`)
  return found
}

/** @throws where they differ. */
export async function versionOf(root: string): Promise<string> {
  const found = await versionsIn(root)
  const [first] = found
  if (first === undefined || found.some(({ version }) => version !== first.version)) {
    throw new Error(
      `The version is not the same everywhere: ${found.map((one) => `${one.file} ${one.version}`).join(', ')}`,
    )
  }
  return first.version
}

export async function setVersion(root: string, version: string): Promise<void> {
  for (const { file, pattern } of PLACES) {
    const path = join(root, file)
    await writeFile(path, (await readFile(path, 'utf8')).replace(pattern, `$1${version}`))
  }
}
