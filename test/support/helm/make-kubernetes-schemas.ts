/**
 * Makes kubernetes-schemas.json.gz anew, from the Go modules below: `node test/support/helm/make-kubernetes-schemas.ts`.
 *
 * What is taken: the shapes of the kinds that the chart makes, without their descriptions, and strict: a field that is not there is
 * refused. Kubernetes, KEDA and the Prometheus Operator are under the Apache License 2.0.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { KUBERNETES_SCHEMAS, type Schema } from './kubernetes-schemas.ts'

const KUBERNETES = 'k8s.io/kubernetes@v1.34.4'
const PROMETHEUS = 'github.com/prometheus-operator/prometheus-operator@v0.85.0'
const KEDA = 'github.com/kedacore/keda/v2@v2.21.0'
const GATEWAY = 'sigs.k8s.io/gateway-api@v1.4.0'

const KINDS = [
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.apps.v1.StatefulSet',
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'io.k8s.api.core.v1.ConfigMap',
  'io.k8s.api.core.v1.Pod',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ServiceAccount',
  'io.k8s.api.networking.v1.Ingress',
  'io.k8s.api.networking.v1.NetworkPolicy',
  'io.k8s.api.policy.v1.PodDisruptionBudget',
]
const CUSTOM_KINDS: [module: string, path: string][] = [
  [PROMETHEUS, 'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml'],
  [PROMETHEUS, 'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml'],
  [KEDA, 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  [KEDA, 'config/crd/bases/keda.sh_triggerauthentications.yaml'],
  [GATEWAY, 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
]
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** A file of a Go module, which the Go command downloads. */
function read(module: string, path: string): string {
  const told = execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8' })
  return readFileSync(join((JSON.parse(told) as { Dir: string }).Dir, path), 'utf8')
}

/** What the swagger of Kubernetes leaves to those who know these types. */
const OF_FORMAT: Record<string, Schema> = {
  'int-or-string': { type: ['integer', 'string'] },
  quantity: { type: ['number', 'string'] },
}

/** A schema without what only people read, which refuses what it does not know. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const all = schema as Schema
  const format = all['x-kubernetes-int-or-string'] ? 'int-or-string' : String(all.format)
  if (OF_FORMAT[format]) return OF_FORMAT[format]
  const kept = Object.entries(all).flatMap(([key, value]) => {
    if (key === 'properties') return [[key, mapValues(value as Schema, strict)]]
    if (/^(description|default|format|example|x-kubernetes-.*)$/.test(key)) return []
    return [[key, key === 'enum' || key === 'required' ? value : strict(value)]]
  })
  const isOpen = all.properties === undefined || all['x-kubernetes-preserve-unknown-fields'] === true
  return Object.fromEntries([...kept, ...(isOpen ? [] : [['additionalProperties', false]])])
}

const mapValues = (all: Schema, change: (value: unknown) => unknown): Schema =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, change(value)]))

interface Swagger {
  definitions: Record<string, Schema & { properties: Schema; 'x-kubernetes-group-version-kind'?: Kind[] }>
}
interface Kind {
  group: string
  version: string
  kind: string
}
interface CustomKind {
  spec: {
    group: string
    names: { kind: string }
    versions: { name: string; storage: boolean; schema: { openAPIV3Schema: Schema & { properties: Schema } } }[]
  }
}

const swagger = JSON.parse(read(KUBERNETES, 'api/openapi-spec/swagger.json')) as Swagger
const definitions: Record<string, unknown> = {}
const kinds: Record<string, Schema> = {}

/** Takes a definition of Kubernetes, and those that it names. */
function take(name: string): void {
  if (definitions[name] !== undefined) return
  const schema = swagger.definitions[name]
  definitions[name] = name.endsWith('.Quantity') ? OF_FORMAT.quantity : strict(schema)
  for (const [, other = ''] of JSON.stringify(definitions[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) take(other)
}

/** Under the name by which kubeconform looks for it. */
function add({ group, version, kind }: Kind, schema: Schema & { properties: Schema }): void {
  const [first] = group.split('.')
  const file = [kind.toLowerCase(), ...(first ? [first] : []), version].join('-')
  const apiVersion = { const: group === '' ? version : `${group}/${version}` }
  const metadata = { $ref: `#/definitions/${OBJECT_META}` }
  const properties = { ...schema.properties, apiVersion, kind: { const: kind }, metadata }
  kinds[file] = { ...schema, properties, required: ['apiVersion', 'kind', 'metadata'] }
}

take(OBJECT_META)
for (const name of KINDS) {
  take(name)
  const [kind] = swagger.definitions[name]?.['x-kubernetes-group-version-kind'] ?? []
  if (kind === undefined) throw new Error(`${KUBERNETES} has no kind ${name}`)
  add(kind, definitions[name] as Schema & { properties: Schema })
}
for (const [module, path] of CUSTOM_KINDS) {
  const { spec } = parse(read(module, path)) as CustomKind
  const stored = spec.versions.find(({ storage }) => storage)
  if (stored === undefined) throw new Error(`${path} of ${module} has no stored version`)
  const schema = strict(stored.schema.openAPIV3Schema) as Schema & { properties: Schema }
  add({ group: spec.group, version: stored.name, kind: spec.names.kind }, schema)
}

const about = `Made by make-kubernetes-schemas.ts of ${[KUBERNETES, PROMETHEUS, KEDA, GATEWAY].join(', ')} (Apache-2.0)`
const text = JSON.stringify({ about, kinds, definitions })
writeFileSync(KUBERNETES_SCHEMAS, gzipSync(text, { level: 9 }))
process.stdout.write(`${Object.keys(kinds).join('\n')}\n${text.length} bytes\n`)
