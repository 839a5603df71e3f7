import { join } from 'node:path'
import type { Progress } from '../progress.ts'
import { installed, type Package, run } from './install.ts'

const VERSION = '2.12.0'

const PACKAGE: Package = {
  directory: `mongosh-${VERSION}`,
  what: `Downloading mongosh ${VERSION} from npm`,
  fill: async (directory) => {
    const quietly = ['--no-audit', '--no-fund', '--ignore-scripts']
    await run('npm', ['install', '--prefix', directory, ...quietly, `mongosh@${VERSION}`])
  },
}

/** The script of mongosh, for Node to run. */
export const mongoshScript = async (progress: Progress = () => undefined): Promise<string> =>
  join(await installed(PACKAGE, progress), 'node_modules', 'mongosh', 'bin', 'mongosh.js')
