import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dependencies } from './dependencies.ts'
import { outputOf } from './output-of.ts'

interface Component {
  'bom-ref': string
  type: string
  name: string
  group?: string
  version: string
  scope?: string
}

/** A software bill of materials, as far as it is touched here. */
export interface Sbom {
  serialNumber?: string
  metadata: { timestamp?: string; lifecycles?: unknown; component: Component }
  components: Component[]
  dependencies: { ref: string; dependsOn?: string[] }[]
}

const keyOf = (name: string, version: string) => `${name}@${version}`

/** A package's own name is its group and its name. */
export const nameOf = ({ group, name }: Pick<Component, 'group' | 'name'>): string =>
  group === undefined ? name : `${group}/${name}`

/**
 * What the program is made of, as CycloneDX: its own dependencies, those for other systems too, and what the page holds (development
 * dependencies otherwise). npm writes down all; with `--omit dev` it would leave out more than a third of what is shipped.
 * The same commit gives the same text: `epoch` (seconds) is its time.
 */
export async function sbom(root: string, epoch: number): Promise<Sbom> {
  const arguments_ = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']
  const bom = JSON.parse(await outputOf('npm', arguments_, root)) as Sbom
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const bundled = await bundledIn(root)
  const all = await dependencies(root)
  const shipped = new Set(all.filter((one) => one.shipped).map((one) => keyOf(one.name, one.version)))
  const isPart = (component: Component) => {
    const key = keyOf(nameOf(component), component.version)
    return shipped.has(key) || bundled.has(key)
  }
  const components = bom.components
    .filter(isPart)
    .map((component) => ({ ...component, ...scopeOf(component, bundled) }))
  const refs = new Set([bom.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])])
  const { serialNumber: _, ...rest } = bom
  return {
    ...rest,
    metadata: {
      ...bom.metadata,
      timestamp: new Date(epoch * 1_000).toISOString(),
      component: { ...bom.metadata.component, name, version },
    },
    components,
    dependencies: bom.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) })),
  }
}

/** npm calls what is for development optional, and a page cannot do without what it holds. */
const scopeOf = ({ name, group, version }: Component, bundled: ReadonlySet<string>) =>
  bundled.has(keyOf(nameOf(group === undefined ? { name } : { name, group }), version)) ? { scope: 'required' } : {}

/** Packages that the page holds, as Vite wrote them down. */
async function bundledIn(root: string): Promise<ReadonlySet<string>> {
  const notice = await readFile(join(root, 'dist', 'web', 'third-party.md'), 'utf8').catch(() => {
    throw new Error('dist/web/third-party.md is not there: build first (npm run build)')
  })
  return new Set(
    [...notice.matchAll(/^## (\S+) - (\S+) \(/gm)].map(([, name = '', version = '']) => keyOf(name, version)),
  )
}
