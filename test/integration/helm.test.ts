/** What the chart tells Kubernetes, done by hand on real services: its settings, files, probes, and the pod of `helm test`. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { freePorts } from '../../local/ports.ts'
import { until } from '../../local/until.ts'
import { makeKey } from '../../src/serve/access/make-key.ts'
import { type Container, type Manifest, objectsOf, one, type Pod, podsOf } from '../support/helm/manifests.ts'
import { watchProgress } from '../support/progress.ts'
import { runMain } from '../support/run-main.ts'
import { newRunNames } from '../support/run-names.ts'
import { launchService, type Service } from '../support/service.ts'
import { sharedServices } from '../support/services.ts'

const { env } = sharedServices()
const names = newRunNames('helm')
const prometheus = makeKey('prometheus', ['metrics:read'], null, null)
/** What the Secrets that the values name would hold. */
const SECRETS: Record<string, string> = {
  'parking/MONGODB_URI': env.MONGODB_URI,
  'parking/CARD_TOKEN_KEY': 'a card key of more than sixteen characters',
  'parking-keys/keys.json': JSON.stringify({ keys: [prometheus.entry] }),
}

let directory: string
let objects: Manifest[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pm-parking-pods-'))
  const [http, serve] = (await freePorts(2)) as [number, number]
  objects = await objectsOf({
    settings: { KAFKA_BROKERS: env.KAFKA_BROKERS, SCHEMA_REGISTRY_URL: env.SCHEMA_REGISTRY_URL, ...names },
    secrets: { MONGODB_URI: 'parking', CARD_TOKEN_KEY: 'parking' },
    metrics: { port: http, serviceMonitor: { enabled: true } },
    serve: {
      ...{ enabled: true, port: serve, service: { port: serve } },
      ...{ authKeys: 'parking-keys/keys.json', metricsKey: 'parking-keys/prometheus' },
    },
  })
}, 300_000)
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await using mongo = new MongoClient(env.MONGODB_URI)
  await mongo.db(names.MONGODB_DATABASE).dropDatabase()
})

/** Lays the files of a pod's volumes under a directory of its own, as the kubelet does. */
async function mount({ name, spec }: Pod, { volumeMounts = [] }: Container): Promise<string> {
  const root = join(directory, name.replaceAll(/\W/g, '-'))
  for (const { name: volumeName, mountPath } of volumeMounts) {
    await mkdir(join(root, mountPath), { recursive: true })
    const volume = spec.volumes?.find((one) => one.name === volumeName)
    const secret = volume?.secret && [{ name: volume.secret.secretName, items: volume.secret.items }]
    const sources = secret ?? volume?.projected?.sources.map((source) => source.secret) ?? []
    for (const { name: secretName, items } of sources) {
      for (const { key, path } of items) {
        const content = SECRETS[`${secretName}/${key}`]
        if (content === undefined) throw new Error(`There is no Secret ${secretName} with the key ${key}`)
        const file = join(root, mountPath, path)
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, content, { mode: 0o440 })
      }
    }
  }
  return root
}

/** The environment of a container; what is mounted lies under `root`, and other machines are this one. */
function environmentOf({ env: own = [], envFrom = [] }: Container, root: string): Record<string, string> {
  const all = envFrom.flatMap(({ configMapRef }) =>
    Object.entries(one(objects, 'ConfigMap', configMapRef.name).data ?? {}),
  )
  const found: Record<string, string> = Object.fromEntries([...all, ...own.map(({ name, value }) => [name, value])])
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => {
      if (/^(HTTP|SERVE)_HOST$/.test(name)) return [name, '127.0.0.1']
      return [name, value.startsWith('/') ? join(root, value) : value]
    }),
  )
}

type ProbeName = 'startupProbe' | 'readinessProbe' | 'livenessProbe'
const probed = async (container: Container, probe: ProbeName): Promise<number> => {
  const { path, port } = container[probe].httpGet
  const at = container.ports?.find(({ name }) => name === port)?.containerPort
  const { status } = await fetch(`http://127.0.0.1:${at}${path}`)
  return status
}

test('pods start with what the chart gives them, pass its probes and its test, and show their metrics to Prometheus', async () => {
  const pods = podsOf(objects)
  const services: Service[] = []
  try {
    for (const command of ['process', 'serve'] as const) {
      const pod = pods.find(({ spec }) => spec.containers[0]?.args[0] === command) as Pod
      const [container] = pod.spec.containers as [Container]
      const service = launchService(command, environmentOf(container, await mount(pod, container)))
      services.push(service)
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
        const passes = () => probed(container, probe).then((status) => status === 200)
        const what = `${command} passes its ${probe}: ${service.log()}`
        await until(() => passes().catch(() => false), { timeoutMs: 60_000, what })
      }
    }

    const tests = pods.find(({ name }) => name.startsWith('Pod ')) as Pod
    const ran: unknown[] = []
    for (const container of tests.spec.containers) {
      const root = await mount(tests, container)
      const { code, stdout, stderr } = await runMain(container.args, environmentOf(container, root))
      ran.push([container.name, code, stdout.split('\n')[0], stderr])
    }
    expect(ran).toEqual([
      ['processor', 0, 'process is ready', ''],
      ['serve', 0, 'serve is ready', ''],
      ['schemas', 0, expect.stringContaining('SUBJECT'), ''],
    ])

    const { path, authorization } = one(objects, 'ServiceMonitor', '-serve').spec.endpoints[0]
    expect(authorization).toEqual({ type: 'Bearer', credentials: { name: 'parking-keys', key: 'prometheus' } })
    const url = `${services[1]?.url}${path}`
    expect((await fetch(url)).status).toBe(401)
    expect((await fetch(url, { headers: { authorization: `Bearer ${prometheus.key}` } })).status).toBe(200)
    expect((await services[0]?.metrics())?.length).toBeGreaterThan(50)
    for (const service of services) await service.stop()
  } finally {
    for (const service of services) await service[Symbol.asyncDispose]()
  }
}, 240_000)
