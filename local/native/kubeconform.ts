import { join } from 'node:path'
import { installed, type Package, run } from './install.ts'

const VERSION = '0.7.0'

const PACKAGE: Package = {
  directory: `kubeconform-${VERSION}`,
  what: `Building kubeconform ${VERSION} with go install`,
  fill: async (directory) => {
    await run('env', [
      `GOBIN=${directory}`,
      'go',
      'install',
      `github.com/yannh/kubeconform/cmd/kubeconform@v${VERSION}`,
    ])
  },
}

/** The path of `kubeconform`, which is built when it is missing. */
export async function kubeconform(): Promise<string> {
  return join(await installed(PACKAGE, () => {}), 'kubeconform')
}
