import { chmod, copyFile, cp, mkdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ROOT } from '../../local/build.ts'
import { run } from '../../local/native/install.ts'

/** What the steps of the Dockerfile make, on a file system without an engine. */
export interface Image {
  /** Its file system: only what the Dockerfile puts there, and Node where the base image has it. */
  root: string
  env: Record<string, string>
  user: string
  entrypoint: string[]
  command: string[]
  healthCheck: string[]
}

interface Instruction {
  name: string
  rest: string
}

/** Where the base image has Node. */
const NODE = '/nodejs/bin/node'

/**
 * Does what `docker build` does with a Dockerfile that has only the instructions used here: COPY and RUN really, each stage in a
 * directory of its own. The base images are not there: their Node is the one that runs this.
 */
export async function assembleImage(directory: string): Promise<Image> {
  const ignored = await readFile(join(ROOT, '.dockerignore'), 'utf8')
  const context = new Set(ignored.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : [])))
  const roots = new Map<string, string>()
  const image: Image = { root: '', env: {}, user: '', entrypoint: [], command: [], healthCheck: [] }
  let workdir = '/'
  for (const { name, rest } of instructionsOf(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))) {
    const at = (path: string) => join(image.root, path.startsWith('/') ? path : join(workdir, path))
    if (name === 'FROM') {
      const stage = /^\S+(?: AS (\S+))?$/.exec(rest)?.[1] ?? 'image'
      Object.assign(image, { root: join(directory, stage), env: {}, user: 'root' })
      roots.set(stage, image.root)
      await mkdir(image.root, { recursive: true })
    } else if (name === 'WORKDIR') {
      workdir = rest
      await mkdir(at('.'), { recursive: true })
    } else if (name === 'COPY') await copy(rest, at)
    else if (name === 'RUN') await run('env', [...buildEnv(image), 'sh', '-ec', rest], at('.'))
    else if (name === 'ENV')
      Object.assign(image.env, Object.fromEntries(rest.split(' ').map((pair) => pair.split('='))))
    else if (name === 'USER') image.user = rest
    else if (name === 'ENTRYPOINT') image.entrypoint = JSON.parse(rest)
    else if (name === 'CMD') image.command = JSON.parse(rest)
    else if (name === 'HEALTHCHECK') image.healthCheck = JSON.parse(/CMD (.*)$/.exec(rest)?.[1] ?? '')
    else if (name !== 'EXPOSE') throw new Error(`${name} is not known here`)
  }

  async function copy(rest: string, at: (path: string) => string): Promise<void> {
    const [, stage, paths = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(rest) ?? []
    const words = paths.split(' ')
    const target = words.pop() as string
    for (const source of words) {
      if (stage === undefined && !context.has(source)) throw new Error(`.dockerignore leaves ${source} out`)
      const from = join(stage === undefined ? ROOT : (roots.get(stage) as string), source)
      const to = target.endsWith('/') ? join(at(target), basename(source)) : at(target)
      await cp(from, to, { recursive: true, verbatimSymlinks: true })
    }
  }

  const node = join(image.root, NODE)
  await mkdir(dirname(node), { recursive: true })
  await copyFile(process.execPath, node)
  await chmod(node, 0o755)
  return image
}

/**
 * The images that build have Node on their path. How packages are reached from here is this environment's to say; but what an npm that
 * runs this says to its scripts would lead another one into its directory.
 */
function buildEnv({ env }: Image): string[] {
  const ofScripts = Object.keys(process.env).filter((name) => name.startsWith('npm_') && !OF_THE_NETWORK.test(name))
  const set = Object.entries({ PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`, ...env })
  return [...ofScripts.flatMap((name) => ['-u', name]), ...set.map(([name, value]) => `${name}=${value}`)]
}

const OF_THE_NETWORK = /^npm_config_(registry|cafile|ca|https?_?proxy|proxy|noproxy|userconfig|globalconfig|cache)$/i

function instructionsOf(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? []
      return { name, rest }
    })
}
