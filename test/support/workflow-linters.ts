import { join } from 'node:path'
import { installed, type Package, run } from '../../local/native/install.ts'
import { programOfWheel } from '../../local/native/wheel.ts'

/** The newest that Go 1.18 builds. */
const ACTIONLINT_VERSION = '1.7.7'
const ZIZMOR_VERSION = '1.32.0'

const ACTIONLINT: Package = {
  directory: `actionlint-${ACTIONLINT_VERSION}`,
  what: `Building actionlint ${ACTIONLINT_VERSION} with go install`,
  fill: async (directory) => {
    const source = `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT_VERSION}`
    await run('env', [`GOBIN=${directory}`, 'CGO_ENABLED=0', 'go', 'install', source])
  },
}

const ZIZMOR: Package = {
  directory: `zizmor-${ZIZMOR_VERSION}`,
  what: `Downloading zizmor ${ZIZMOR_VERSION} from PyPI`,
  fill: async (directory) => {
    await programOfWheel(directory, { name: 'zizmor', version: ZIZMOR_VERSION, inside: 'scripts/zizmor' })
  },
}

const said = (work: Promise<string>): Promise<string> => work.catch((error: Error) => error.message)

/** What is wrong with workflows; empty: nothing. */
export async function actionlint(files: string[]): Promise<string> {
  const program = join(await installed(ACTIONLINT, () => {}), 'actionlint')
  return said(run(program, ['-no-color', '-shellcheck=', '-pyflakes=', ...files]))
}

/** What is unsafe in what lies under `.github`; empty: nothing. */
export async function zizmor(directory: string): Promise<string> {
  const program = join(await installed(ZIZMOR, () => {}), 'zizmor')
  const output = await said(
    run(program, [
      '--offline',
      '--strict-collection',
      '--no-progress',
      '--color=never',
      '--persona=pedantic',
      directory,
    ]),
  )
  return /^No findings to report/m.test(output) ? '' : output
}
