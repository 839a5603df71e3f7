import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { ROOT } from '../../../local/build.ts'
import { type HelmMajor, helmTools } from '../../../local/native/helm.ts'

export const CHART = join(ROOT, 'helm')

export type Values = Record<string, unknown>

/** What these tests look at in an object of Kubernetes. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> }
  // biome-ignore lint/suspicious/noExplicitAny: kubeconform knows the shapes, and judges them
  spec?: any
  data?: Record<string, string>
}

export interface Pod {
  name: string
  metadata: Manifest['metadata']
  spec: {
    containers: Container[]
    volumes?: Volume[]
    serviceAccountName: string
    automountServiceAccountToken: boolean
    terminationGracePeriodSeconds: number
  }
}

export interface Volume {
  name: string
  projected?: { sources: { secret: { name: string; items: SecretItem[] } }[] }
  secret?: { secretName: string; items: SecretItem[] }
}

interface SecretItem {
  key: string
  path: string
}

interface Probe {
  httpGet: { path: string; port: string }
}

export interface Container {
  name: string
  image: string
  args: string[]
  env?: { name: string; value: string }[]
  envFrom?: { configMapRef: { name: string } }[]
  ports?: { name: string; containerPort: number }[]
  volumeMounts?: { name: string; mountPath: string }[]
  startupProbe: Probe
  readinessProbe: Probe
  livenessProbe: Probe
  lifecycle?: { preStop: { sleep: { seconds: number } } }
}

export interface Ran {
  ok: boolean
  /** Standard output, or what it complains of. */
  text: string
}

/** Runs `helm` with values as its input, wherever they go (`-f -`). */
export async function helm(args: string[], values: Values = {}, major: HelmMajor = 4): Promise<Ran> {
  const program = (await helmTools(major)).helm
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20, cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ ok: error === null, text: error === null ? stdout : stderr }),
    )
    child.stdin?.end(stringify(values))
  })
}

/** The text that `helm template` gives, or its complaint. */
export const template = (values: Values, { chart = CHART, major = 4 as HelmMajor } = {}): Promise<Ran> =>
  helm(['template', 'parking', chart, '--namespace', 'parking', '-f', '-'], values, major)

/** The objects in a text of Helm, which reads YAML as 1.1 has it. */
export function objectsIn(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1' })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0]
    const object = document.toJS() as Manifest | null
    return object === null ? [] : [object]
  })
}

/** The objects for these values. */
export async function objectsOf(values: Values, options = {}): Promise<Manifest[]> {
  const { ok, text } = await template(values, options)
  if (!ok) throw new Error(text)
  return objectsIn(text)
}

/** All pods that these objects are or make. */
export const podsOf = (objects: Manifest[]): Pod[] =>
  objects.flatMap(({ kind, metadata, spec }) => {
    const name = `${kind} ${metadata.name}`
    if (kind === 'Pod') return [{ name, metadata, spec }]
    return spec?.template ? [{ name, metadata: spec.template.metadata, spec: spec.template.spec }] : []
  })

/** The one object of a kind and a name. */
export function one(objects: Manifest[], kind: string, end = ''): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(end))
  if (found.length !== 1) throw new Error(`${found.length} objects are a ${kind} …${end}`)
  return found[0] as Manifest
}
