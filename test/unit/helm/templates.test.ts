import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { helmTools } from '../../../local/native/helm.ts'
import { kubeconform } from '../../../local/native/kubeconform.ts'
import type { Need } from '../../../src/settings/rules.ts'
import { NAMES, type Name, VARIABLES } from '../../../src/settings/variables.ts'
import { readSettings } from '../../../src/settings.ts'
import { LEAST, MATRIX } from '../../support/helm/cases.ts'
import { unpackKubernetesSchemas } from '../../support/helm/kubernetes-schemas.ts'
import {
  CHART,
  type Container,
  helm,
  type Manifest,
  objectsIn,
  objectsOf,
  one,
  type Pod,
  podsOf,
  template,
} from '../../support/helm/manifests.ts'
import { restrictedForbids } from '../../support/helm/pod-security.ts'

const directory = mkdtempSync(join(tmpdir(), 'helm-'))
afterAll(() => rmSync(directory, { recursive: true }))

let conform: (text: string) => string
const texts = new Map<string, string>()
const objects = new Map<string, Manifest[]>()

beforeAll(async () => {
  await Promise.all([helmTools(3), helmTools(4)])
  const program = await kubeconform()
  const schemas = await unpackKubernetesSchemas(directory)
  conform = (input) => {
    const args = ['-strict', '-summary', '-schema-location', schemas]
    const { stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' })
    return stdout + stderr
  }
  await restrictedForbids([])
  for (const [name, values] of Object.entries(MATRIX)) {
    const { ok, text } = await template(values)
    if (!ok) throw new Error(`${name}: ${text}`)
    texts.set(name, text)
    objects.set(name, objectsIn(text))
  }
}, 600_000)

const cases = Object.keys(MATRIX)
const textOf = (name: string) => texts.get(name) as string
const of = (name: string) => objects.get(name) as Manifest[]
const selects = (selector: Record<string, string>, labels: Record<string, string>) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value)
const envOf = ({ env = [] }: Container) => new Map(env.map(({ name, value }) => [name, value]))
const workloads = (all: Manifest[]) => all.filter(({ spec }) => spec?.template)

describe.each(cases)('the objects of %s', (name) => {
  test('are as Kubernetes has them', () => {
    expect(conform(textOf(name))).toMatch(/ Invalid: 0, Errors: 0, Skipped: 0/)
    const ids = of(name).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { metadata } of of(name)) expect(metadata.name.length).toBeLessThanOrEqual(63)
  })

  test('have only pods that meet the restricted Pod Security Standard, without a token', async () => {
    const pods = podsOf(of(name))
    expect(await restrictedForbids(pods)).toEqual([])
    for (const { spec } of pods) {
      expect(spec.automountServiceAccountToken).toBe(false)
      for (const container of spec.containers)
        expect(container).toMatchObject({ securityContext: { readOnlyRootFilesystem: true } })
    }
  })

  test('find each other', () => {
    const all = of(name)
    const pods = workloads(all).map(({ spec }) => spec.template as Pod)
    const others = all.filter(({ kind }) => /^(Service|PodDisruptionBudget|NetworkPolicy)$/.test(kind))
    for (const { kind, spec } of others) {
      const selector = spec.podSelector?.matchLabels ?? spec.selector.matchLabels ?? spec.selector
      expect({ kind, of: pods.filter(({ metadata }) => selects(selector, metadata.labels)).length }).toEqual({
        kind,
        of: 1,
      })
    }
    for (const { spec } of workloads(all)) {
      expect(selects(spec.selector.matchLabels, spec.template.metadata.labels)).toBe(true)
      for (const { labelSelector } of spec.template.spec.topologySpreadConstraints ?? [])
        expect(labelSelector.matchLabels).toEqual(spec.selector.matchLabels)
      if (spec.serviceName) one(all, 'Service', spec.serviceName)
    }
    for (const { spec } of all.filter(({ kind }) => kind === 'ServiceMonitor')) {
      const services = all.filter(
        ({ kind, metadata }) => kind === 'Service' && selects(spec.selector.matchLabels, metadata.labels),
      )
      expect(services.length).toBeGreaterThan(0)
      for (const { spec: service } of services) expect(service.ports[0].name).toBe(spec.endpoints[0].port)
    }
    for (const { spec } of all.filter(({ kind }) => /^(Horizontal.*|ScaledObject)$/.test(kind))) {
      const target = one(all, spec.scaleTargetRef.kind, spec.scaleTargetRef.name)
      expect(target.spec).not.toHaveProperty('replicas')
    }
    for (const { metadata } of workloads(all)) {
      const scalers = all.filter(({ spec }) => spec?.scaleTargetRef?.name === metadata.name)
      expect(scalers.length).toBeLessThan(2)
    }
  })

  test('give each container settings that the program takes', () => {
    const all = of(name)
    for (const { spec } of podsOf(all)) {
      for (const container of spec.containers) expect(problemsOf(container, spec, all)).toBeNull()
    }
  })

  test('mount what a container names, and keep no volume for nobody', () => {
    for (const { kind, spec } of workloads(of(name))) {
      const { containers, volumes = [] } = (spec.template as Pod).spec
      const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }: Manifest) => metadata.name)
      const mounted = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map((mount) => mount.name))
      expect([...volumes.map((volume) => volume.name), ...claims].sort()).toEqual(mounted.sort())
      expect(claims.length).toBe(kind === 'StatefulSet' ? 1 : 0)
    }
  })
})

/** Runs the program's own check of settings on what a container would find; null: it takes them. */
function problemsOf(
  { args, env = [], envFrom = [], volumeMounts = [] }: Container,
  { volumes = [] }: Pod['spec'],
  all: Manifest[],
) {
  const found: Record<string, string> = {}
  for (const { configMapRef } of envFrom) Object.assign(found, one(all, 'ConfigMap', configMapRef.name).data)
  for (const { name, value } of env) found[name] = value
  const paths = volumeMounts.flatMap(({ name, mountPath }) => {
    const volume = volumes.find((one) => one.name === name)
    return (volume?.projected?.sources ?? []).flatMap(({ secret }) =>
      secret.items.map(({ path }) => `${mountPath}/${path}`),
    )
  })
  for (const [name, path] of Object.entries(found).filter(
    ([key]) => key.endsWith('_FILE') && key !== 'AUTH_KEYS_FILE',
  )) {
    const setting = name.replace(/_FILE$/, '') as Name
    expect(paths).toContain(path)
    const file = join(directory, setting)
    const { example } = VARIABLES[setting]
    writeFileSync(file, setting === 'ENCRYPT_KEY' ? `a:${Buffer.alloc(32).toString('base64')}` : example)
    found[name] = file
  }
  for (const name of Object.keys(found)) {
    expect([...NAMES, 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']).toContain(name.replace(/(?<!AUTH_KEYS)_FILE$/, ''))
  }
  const [command] = args
  const isStatus = found.STAGES === 'status'
  const needs: Need[] =
    command === 'serve' ? ['kafka', 'mongodb', 'access'] : isStatus ? ['kafka'] : ['kafka', 'mongodb']
  try {
    readSettings(found, { needs: command === 'process' || command === 'serve' ? needs : [] })
    return null
  } catch (error) {
    return (error as Error).message
  }
}

describe('these checks', () => {
  test('refuse a field that Kubernetes does not know, and a kind that nobody has', () => {
    const text = textOf('least')
    expect(conform(text.replace('enableServiceLinks', 'enableServiceLink'))).toContain(
      "'enableServiceLink' not allowed",
    )
    expect(conform(text.replace('minReadySeconds: 15', 'minReadySeconds: soon'))).toContain('Invalid: 1')
    expect(conform(text.replace('kind: Service\n', 'kind: Servise\n'))).toContain('could not find schema')
  })

  test.each([
    ['runAsNonRoot', 'runAsNonRoot: true', 'runAsNonRoot: false'],
    ['privilege escalation', 'allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true'],
    ['capabilities', 'drop: [ALL]', 'drop: [NET_RAW]'],
    ['seccomp', 'type: RuntimeDefault', 'type: Unconfined'],
    ['volumes', 'emptyDir:\n            sizeLimit: "2Gi"', 'hostPath:\n            path: /'],
  ])('refuse a pod that breaks the standard by its %s', async (_, right, wrong) => {
    const pods = podsOf(objectsIn(textOf('least').replace(right, wrong)))
    expect(await restrictedForbids(pods)).toHaveLength(1)
  })
})

describe('helm', () => {
  test.each([3, 4] as const)('%s lints the chart without a warning', async (major) => {
    const { ok, text } = await helm(['lint', '--strict', CHART, '-f', '-'], LEAST, major)
    expect(text).toContain('0 chart(s) failed')
    expect(ok).toBe(true)
  })

  test.each(Object.keys(MATRIX))('3 makes of %s the same objects as 4', async (name) => {
    const older = await objectsOf(MATRIX[name] ?? {}, { major: 3 })
    const byName = (all: Manifest[]) => new Map(all.map((object) => [`${object.kind} ${object.metadata.name}`, object]))
    expect(byName(older)).toEqual(byName(of(name)))
  })

  test('tells after an install what to do next', async () => {
    const { text } = await helm(
      ['install', 'parking', CHART, '--dry-run=client', '--namespace', 'parking', '-f', '-'],
      MATRIX.apart,
    )
    const notes = text.slice(text.indexOf('\nNOTES:'))
    expect(notes).toContain('reads from kafka-1:9093,kafka-2:9093')
    expect(notes).toContain('rollout status statefulset/parking-pm-parking-events-status')
    expect(notes).toContain('helm -n parking test parking\n')
    // The pod of a test that failed stays, under its name.
    const { metadata } = one(of('apart'), 'Pod', '-test')
    expect(notes).toContain(`kubectl -n parking logs ${metadata.name} --all-containers\n`)
    expect(notes).not.toContain('CARD_TOKEN_KEY')
  })
})

describe('pods', () => {
  test('get only the secrets that their command needs', () => {
    const secretsOf = (all: Manifest[], end: string) =>
      [...envOf(podsOf([one(all, 'Deployment', end)])[0]?.spec.containers[0] as Container).keys()].filter((key) =>
        key.endsWith('_FILE'),
      )
    const all = of('serve')
    expect(secretsOf(all, '-processor')).toEqual(['CARD_TOKEN_KEY_FILE', 'MONGODB_URI_FILE'])
    expect(secretsOf(all, '-serve')).toEqual([
      'CARD_TOKEN_KEY_FILE',
      'MONGODB_URI_FILE',
      'PRIMARY_MYSQL_URI_FILE',
      'AUTH_KEYS_FILE',
    ])
    expect(secretsOf(of('stages apart, state memory'), '-status')).toEqual([])
  })

  test('start anew when a setting of theirs changes, and only then', async () => {
    const sums = async (settings: Record<string, unknown>) => {
      const values = { ...MATRIX.serve, settings: { ...(MATRIX.serve?.settings as object), ...settings } }
      const checksum = (end: string, all: Manifest[]) =>
        podsOf([one(all, 'Deployment', end)])[0]?.metadata.annotations?.['checksum/settings']
      const all = await objectsOf(values)
      return [checksum('-processor', all), checksum('-serve', all)]
    }
    const [processor, serve] = await sums({})
    const [sameProcessor, otherServe] = await sums({ SERVE_RATE_LIMIT: 100 })
    expect(sameProcessor).toBe(processor)
    expect(otherServe).not.toBe(serve)
    expect((await sums({ MAX_DEPTH: 50 }))[0]).not.toBe(processor)
  })

  test('may be of two versions while one part after the other is upgraded', () => {
    const images = podsOf(of('one part after the other')).flatMap(({ spec }) =>
      spec.containers.map(({ name, image }) => `${name} ${image}`),
    )
    expect([...new Set(images)].sort()).toEqual(['ingest pm-parking-events:0.2.0', 'status pm-parking-events:0.2.1'])
  })

  test('have the time to drain', () => {
    for (const { spec } of podsOf(of('serve')).filter(({ name }) => !name.startsWith('Pod '))) {
      const waits = spec.containers[0]?.lifecycle?.preStop.sleep.seconds ?? 0
      expect(spec.terminationGracePeriodSeconds - waits).toBeGreaterThan(10)
    }
  })
})

describe('scaling by lag', () => {
  test('looks at the group and topics of each stage, never goes over the partitions, and goes down slowly', () => {
    const scaled = (end: string) => one(of('apart'), 'ScaledObject', end).spec
    const triggers = (end: string) =>
      scaled(end).triggers.map(({ metadata: { consumerGroup, topic } }: { metadata: Record<string, string> }) => [
        consumerGroup,
        topic,
      ])
    expect(triggers('-ingest')).toEqual([
      ['pm-parking-events-ingest', 'parkmobile.events'],
      ['pm-parking-events-ingest', 'parkmobile.responses'],
    ])
    expect(triggers('-status')).toEqual([['pm-parking-events-status', 'parkmobile.observations']])
    expect(scaled('-status')).toMatchObject({ minReplicaCount: 2, maxReplicaCount: 12 })
    expect(scaled('-status').advanced.horizontalPodAutoscalerConfig.behavior.scaleDown).toEqual({
      stabilizationWindowSeconds: 600,
      policies: [{ type: 'Pods', value: 1, periodSeconds: 300 }],
    })
  })

  test('signs in as the processors do', () => {
    const [trigger] = one(of('apart'), 'ScaledObject', '-status').spec.triggers
    expect(trigger.metadata).toMatchObject({ tls: 'enable', sasl: 'scram_sha512' })
    const { metadata, spec } = one(of('apart'), 'TriggerAuthentication')
    expect(trigger.authenticationRef).toEqual({ kind: 'TriggerAuthentication', name: metadata.name })
    expect(spec.secretTargetRef).toContainEqual({ parameter: 'username', name: 'kafka-user', key: 'username' })
    expect(one(of('by lag, a user name that is no secret'), 'TriggerAuthentication').spec.env).toEqual([
      { parameter: 'username', name: 'KAFKA_SASL_USERNAME' },
    ])
    expect(of('by lag, an authentication of one’s own').some(({ kind }) => kind === 'TriggerAuthentication')).toBe(
      false,
    )
  })
})

test('a network policy lets processors out to no more than they need', () => {
  const ports = (end: string) =>
    one(of('serve'), 'NetworkPolicy', end).spec.egress.flatMap((rule: { ports: { port: number }[] }) =>
      rule.ports.map(({ port }) => port),
    )
  expect(ports('-processor')).toEqual([53, 53, 9092, 27017, 4318, 3128])
  expect(ports('-serve')).toEqual([53, 53, 9092, 27017, 3306, 8443, 4318, 3128])
})

test('rules and dashboards come as they are in their files', async () => {
  const chart = join(directory, 'chart')
  cpSync(CHART, chart, { recursive: true })
  const groups = [
    {
      name: 'parking.test',
      rules: [
        {
          alert: 'Lag',
          expr: 'sum by (topic) (pm_consumer_lag_records) > 1e6',
          annotations: { summary: '{{ $labels.topic }} lags by {{ $value | humanize }}' },
        },
      ],
    },
  ]
  const dashboard = '{\n  "title": "Parking",\n  "legendFormat": "{{topic}}"\n}'
  for (const inside of ['rules', 'dashboards']) {
    rmSync(join(chart, inside), { recursive: true, force: true })
    mkdirSync(join(chart, inside))
  }
  writeFileSync(join(chart, 'rules', 'one.yaml'), JSON.stringify({ groups }))
  writeFileSync(join(chart, 'rules', 'two.yaml'), `groups:\n- name: other\n  rules: []\n`)
  writeFileSync(join(chart, 'dashboards', 'The_lag.json'), `${dashboard}\n`)
  const values = {
    ...LEAST,
    metrics: { prometheusRule: { enabled: true, labels: { release: 'p' } }, dashboards: { enabled: true } },
  }
  const { text } = await template(values, { chart })
  expect(conform(text)).toContain('Invalid: 0, Errors: 0')
  const all = objectsIn(text)
  expect(one(all, 'PrometheusRule').spec.groups).toEqual([...groups, { name: 'other', rules: [] }])
  expect(one(all, 'ConfigMap', '-the-lag')).toMatchObject({
    metadata: { labels: { grafana_dashboard: '1' } },
    data: { 'The_lag.json': dashboard },
  })
  writeFileSync(join(chart, 'rules', 'two.yaml'), 'rules: []\n')
  expect((await template(values, { chart })).text).toContain('rules/two.yaml has no list of groups')
})
