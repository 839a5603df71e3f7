import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed, type Package, run } from '../../../local/native/install.ts'
import type { Pod } from './manifests.ts'

const SOURCE = fileURLToPath(new URL('pod-security', import.meta.url))
const FILES = ['main.go', 'go.mod', 'go.sum']

const digest = createHash('sha256')
for (const file of FILES) digest.update(readFileSync(join(SOURCE, file)))

const PACKAGE: Package = {
  directory: `pod-security-${digest.digest('hex').slice(0, 12)}`,
  what: "Building Kubernetes' evaluation of pod security with go build",
  fill: async (directory) => {
    for (const file of FILES) await copyFile(join(SOURCE, file), join(directory, file))
    await run('go', ['build', '-o', 'pod-security', '.'], directory)
  },
}

/** What the restricted Pod Security Standard forbids of these pods, a line each; it is built when it is missing. */
export async function restrictedForbids(pods: Pod[]): Promise<string[]> {
  const program = join(await installed(PACKAGE, () => {}), 'pod-security')
  const { status, stdout, stderr } = spawnSync(program, { input: JSON.stringify(pods), encoding: 'utf8' })
  if (status !== 0) throw new Error(`pod-security ended with ${status}: ${stderr}`)
  return stdout.split('\n').filter((line) => line !== '')
}
