/** What a release consists of: the package, what is in it, and the digests of both. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { outputOf } from './output-of.ts'
import { sbom } from './sbom.ts'

const SBOM = 'sbom.cdx.json'
export const SUMS = 'SHA256SUMS'

/**
 * Builds, and leaves a package, its SBOM and SHA256SUMS in `out`; gives their names. The same sources and `epoch` (seconds), which is
 * the time of their commit, give the same bytes.
 */
export async function makeArtefacts(root: string, out: string, epoch: number): Promise<string[]> {
  await mkdir(out, { recursive: true })
  if ((await readdir(out)).length > 0) throw new Error(`${out} is not empty: choose another directory, or empty it`)
  const { file, sum } = await packed(root, out)
  if ((await packed(root, join(out, 'again'))).sum !== sum) {
    throw new Error('Two builds of one commit give two packages: see what differs before anybody is asked to trust one')
  }
  await rm(join(out, 'again'), { recursive: true })
  await writeFile(join(out, SBOM), `${JSON.stringify(await sbom(root, epoch), null, 2)}\n`)
  const names = [file, SBOM].sort()
  const lines = await Promise.all(names.map(async (name) => `${await sumOf(join(out, name))}  ${name}\n`))
  await writeFile(join(out, SUMS), lines.join(''))
  return [...names, SUMS]
}

/** From an empty dist: what an earlier build left there must not get in. */
async function packed(root: string, out: string): Promise<{ file: string; sum: string }> {
  await mkdir(out, { recursive: true })
  await rm(join(root, 'dist'), { recursive: true, force: true })
  await outputOf('npm', ['run', '--silent', 'build'], root)
  const file = (await outputOf('npm', ['pack', '--silent', '--pack-destination', out], root)).trim()
  return { file, sum: await sumOf(join(out, file)) }
}

const sumOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
