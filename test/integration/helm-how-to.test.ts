import { rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { helmTools } from '../../local/native/helm.ts'
import { type Manifest, objectsIn, podsOf } from '../support/helm/manifests.ts'
import { blocksOf, makeCheckout, Terminal } from '../support/page-commands.ts'

const PAGE = 'docs/how-to/deploy-on-kubernetes.md'
const namesOf = (objects: Manifest[]) =>
  new Set(objects.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`))
/** A checkout in which a page may leave files. */
let checkout: string
let tools: string

/**
 * There is no cluster here: Helm makes the objects and installs none, kubectl makes Secrets and installs none, and what they
 * would ask the cluster for is written down.
 */
const WITHOUT_A_CLUSTER = `
docker() { echo "docker $*" >> asked; }
helm() {
  case "$*" in
    "upgrade --install "*) ((++made)) && command helm template "\${@:3}" > "made-$made.yaml" ;;
    *) echo "helm $*" >> asked ;;
  esac
}
kubectl() {
  case "$*" in
    *" create secret "*) command kubectl "$@" --dry-run=client --output yaml >> secrets.yaml && echo --- >> secrets.yaml ;;
    *) echo "kubectl $*" >> asked ;;
  esac
}
curl() { echo "curl $*" >> asked; }
`

beforeAll(async () => {
  checkout = await makeCheckout('helm')
  tools = join((await helmTools(4)).helm, '..')
  await writeFile(join(checkout, 'asked'), '')
}, 300_000)
afterAll(() => rm(checkout, { recursive: true, force: true }))

test(`${PAGE}: Helm takes what it says, and the objects that it speaks of are made`, async () => {
  await using terminal = new Terminal({}, checkout)
  await terminal.run(`export PATH="${tools}${delimiter}$PATH"\n${WITHOUT_A_CLUSTER}`)
  for (const { language, text } of blocksOf(PAGE)) if (language === 'sh') await terminal.run(text)

  const releases: Manifest[][] = []
  for (let i = 1; i <= Number(await terminal.run('echo $made')); i++) {
    releases.push(objectsIn(await terminal.run(`cat made-${i}.yaml`)))
  }
  const made = releases.flat()
  const secrets = objectsIn(await terminal.run('cat secrets.yaml'))
  const names = namesOf(made)
  const asked = await terminal.run('cat asked')
  const spokenOf = [...asked.matchAll(/\b(?:deployment|statefulset|service)\/\S+/g)].map(([name]) => name)
  expect(spokenOf.length).toBeGreaterThan(4)
  expect(spokenOf.filter((name) => !names.has(name))).toEqual([])

  // Each Secret that a pod or Prometheus asks for was made, with that key in it, or belongs to somebody else.
  const keys = new Set(
    secrets.flatMap(({ metadata, data = {} }) => Object.keys(data).map((key) => `${metadata.name}/${key}`)),
  )
  expect([...keys].sort()).toEqual([
    'parking-keys/keys.json',
    'parking-keys/prometheus',
    'parking/CARD_TOKEN_KEY',
    'parking/MONGODB_URI',
  ])
  const wanted = JSON.stringify(made).matchAll(/"secret":\{"name":"([^"]+)","items":\[\{"key":"([^"]+)"/g)
  for (const [, secret, key] of wanted) expect(keys).toContain(`${secret}/${key}`)
  expect(JSON.stringify(made)).toContain('"credentials":{"name":"parking-keys","key":"prometheus"}')
  expect(names).toContain('scaledobject/parking-pm-parking-events-status')
  expect(names).toContain('prometheusrule/parking-pm-parking-events')

  // Who follows the page from the top to the end loses nothing on the way: only the stages move, from one workload to two.
  for (const [i, release] of releases.entries()) {
    const before = [...namesOf(releases[i - 1] ?? [])].filter((name) => !name.includes('-processor'))
    expect([...namesOf(release)]).toEqual(expect.arrayContaining(before))
  }
  const last = releases.at(-1) ?? []
  expect([...namesOf(last)]).toEqual(
    expect.arrayContaining([
      'deployment/parking-pm-parking-events-serve',
      'ingress/parking-pm-parking-events-serve',
      'statefulset/parking-pm-parking-events-status',
    ]),
  )
  const images = podsOf(last).flatMap(({ spec }) => spec.containers.map(({ image }) => image))
  expect(new Set(images)).toEqual(new Set(['registry.example.com/pm-parking-events:0.2.1']))
}, 120_000)
