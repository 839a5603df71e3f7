import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { NAMES, type Name, VARIABLES } from '../../../src/settings/variables.ts'
import { LEAST, MATRIX } from '../../support/helm/cases.ts'
import { expectKept } from '../../support/helm/kept.ts'
import { CHART, template, type Values } from '../../support/helm/manifests.ts'
import { tableOf, valuesIn } from '../../support/helm/values-table.ts'

const textOf = (file: string) => readFileSync(join(CHART, file), 'utf8')
const schema = JSON.parse(textOf('values.schema.json'))
const defaults = parse(textOf('values.yaml')) as Values
const rows = valuesIn(textOf('values.yaml'))
const takes = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema)

type Tree = { [key: string]: Tree }
/** Values with one of them put in at a dotted path. */
function withValue(path: string, value: unknown, base: Values = defaults): Values {
  const copy = structuredClone(base) as unknown as Tree
  const names = path.split('.')
  const last = names.pop() as string
  let at = copy
  for (const name of names) at = at[name] ??= {}
  at[last] = value as Tree
  return copy as unknown as Values
}

describe('the values', () => {
  test('are all explained where they stand', () => {
    expect(rows.length).toBeGreaterThan(100)
    expect(rows.filter(({ meaning }) => meaning === '')).toEqual([])
  })

  test('stand in the README with their defaults', () => {
    const path = join(CHART, 'README.md')
    const text = textOf('README.md')
    const [before, rest = ''] = text.split(/(?<=<!-- values: .* -->\n)/)
    const after = rest.slice(rest.indexOf('<!-- /values -->'))
    expect(after).not.toBe('')
    expectKept(path, `${before}${tableOf(rows)}\n${after}`)
  })

  test('are taken by the schema as they are, and in every case that is tried', () => {
    expect([takes(defaults), takes.errors]).toEqual([true, null])
    for (const values of Object.values(MATRIX)) expect([takes(values), takes.errors]).toEqual([true, null])
  })

  test.each(rows.map(({ path }) => path))('%s is refused when it is of another kind', (path) => {
    const wrong = [{ 'no such': 1 }, [1], 'no \n such', -1, 1.5, true]
    const given = path.split('.').reduce<unknown>((at, name) => (at as Values)[name], defaults)
    const refused = wrong.filter((value) => !takes(withValue(path, value)))
    // A map may be open to any names; a text to any text.
    expect(refused.length).toBeGreaterThanOrEqual(typeof given === 'string' ? 4 : 5)
  })

  test('are refused under any name that is not known', () => {
    const paths = ['', ...rows.filter(({ fallback }) => fallback === null).map(({ path }) => `${path}.`)]
    expect(paths.length).toBeGreaterThan(8)
    for (const path of paths)
      expect({ path, taken: takes(withValue(`${path}replicaCount`, 1)) }).toEqual({ path, taken: false })
  })

  test('are never fewer than none', () => {
    const numbers = rows.filter(({ fallback }) => /^\d+$/.test(fallback ?? ''))
    expect(numbers.length).toBeGreaterThan(20)
    for (const { path } of numbers) expect({ path, taken: takes(withValue(path, -1)) }).toEqual({ path, taken: false })
  })
})

describe('settings', () => {
  const { settings, secrets } = schema.definitions
  const isSecret = (name: Name) => VARIABLES[name].fromFile && VARIABLES[name].shown !== 'plain'
  const OWNED: Name[] = ['STAGES', 'STATE_DIR', 'HTTP_HOST', 'HTTP_PORT', 'SERVE_HOST', 'SERVE_PORT', 'AUTH_KEYS_FILE']
  const open = NAMES.filter((name) => !isSecret(name) && !OWNED.includes(name))
  const ofSettings = (name: string, value: unknown) => takes({ settings: { [name]: value } })

  test('of the program are all known, and no others: helm/values.schema.json, definitions.settings and .secrets', () => {
    expect(Object.keys(settings.properties).sort()).toEqual([...NAMES].sort())
    expect(Object.keys(secrets.properties).sort()).toEqual(NAMES.filter((name) => VARIABLES[name].fromFile).sort())
  })

  test.each(open)('%s may be what the program takes', (name) => {
    const { example, fallback } = VARIABLES[name]
    for (const value of [example, fallback, null]) {
      if (value === null || !value.includes('…'))
        expect({ name, value, taken: ofSettings(name, value) }).toEqual({ name, value, taken: true })
    }
  })

  test.each(NAMES.filter(isSecret))('%s is refused, since it is a secret', (name) => {
    expect(ofSettings(name, VARIABLES[name].example)).toBe(false)
    expect(takes({ serve: { settings: { [name]: 'secret' } } })).toBe(false)
    expect(takes.errors?.[0]?.params.allowedValue).toContain(`secrets.${name}`)
  })

  test.each(OWNED)('%s is refused, since the chart sets it', (name) => {
    expect(ofSettings(name, VARIABLES[name].example)).toBe(false)
    expect(takes.errors?.[0]?.params.allowedValue).toMatch(/^the chart's: /)
  })

  test.each(open)('%s is refused by the program where the schema refuses it', (name) => {
    for (const value of [
      '',
      ' ',
      'x',
      '-1',
      '0',
      '1',
      '1.5',
      '99999999999',
      'a b',
      'a,,b',
      'ftp://x',
      'https://u:p@x',
    ]) {
      if (ofSettings(name, value) || value.trim() === '') continue
      expect({ name, value, problem: 'problem' in VARIABLES[name].format(value) }).toEqual({
        name,
        value,
        problem: true,
      })
    }
  })
})

describe('helm refuses', () => {
  test.each<[string, string, unknown, string]>([
    ['a value that there is not', 'replicaCount', 2, "'replicaCount' not allowed"],
    ['a setting that there is not', 'settings.LOGLEVEL', 'info', "'LOGLEVEL' not allowed"],
    ['a secret among the settings', 'settings.MONGODB_URI', 'mongodb://u:p@mongo', 'name that as secrets.MONGODB_URI'],
    ['a setting of the chart', 'settings.HTTP_PORT', 80, 'choose the port with metrics.port'],
    ['a level that there is not', 'settings.LOG_LEVEL', 'verbose', '/settings/LOG_LEVEL'],
    ['a broker without a port', 'settings.KAFKA_BROKERS', 'kafka', '/settings/KAFKA_BROKERS'],
    [
      'an address with a password in it',
      'settings.SCHEMA_REGISTRY_URL',
      'https://u:p@registry',
      '/SCHEMA_REGISTRY_URL',
    ],
    ['too deep a record', 'settings.MAX_DEPTH', 91, 'maximum: got 91, want 90'],
    ['a secret in place of its name', 'secrets.MONGODB_URI', 'mongodb://mongo', '/secrets/MONGODB_URI'],
    ['a Secret for what is no secret', 'secrets.LOG_LEVEL', 'parking', "'LOG_LEVEL' not allowed"],
    ['another stage', 'stages', 'both', '/stages'],
    ['fewer than no replicas', 'processor.replicas', -1, '/processor/replicas'],
    ['half a replica', 'processor.replicas', 1.5, '/processor/replicas'],
    ['a number as text', 'processor.replicas', '2', '/processor/replicas'],
    ['both scalers', 'processor.scaling.by', ['keda', 'hpa'], '/processor/scaling/by'],
    ['serve by lag', 'serve.scaling.by', 'keda', '/serve/scaling/by'],
    ['no replica at all, scaled', 'processor.scaling.min', 0, '/processor/scaling/min'],
    ['memory that is no quantity', 'processor.resources.limits.memory', '1GB', '/processor/resources/limits/memory'],
    ['a resource that there is not', 'processor.resources.limits.ram', '1Gi', 'ram'],
    ['less than no memory', 'processor.resources.limits.memory', -1, '/processor/resources/limits/memory'],
    ['a volume of no size', 'state.size', '0Gi', '/state/size'],
    ['another state', 'state.kind', 'redis', '/state/kind'],
    ['a volume for serve', 'serve.state.kind', 'persistent', '/serve/state/kind'],
    ['less time than a drain takes', 'pod.terminationGracePeriodSeconds', 10, '/pod/terminationGracePeriodSeconds'],
    [
      'a budget that lets no node be drained',
      'podDisruptionBudget.maxUnavailable',
      0,
      '/podDisruptionBudget/maxUnavailable',
    ],
    ['a volume of the node', 'pod.extraVolumes', [{ name: 'a', hostPath: { path: '/' } }], "'hostPath' not allowed"],
    ['a port that needs rights', 'metrics.port', 80, '/metrics/port'],
    ['a name with capitals', 'fullnameOverride', 'Parking', '/fullnameOverride'],
    ['a digest that is none', 'image.digest', 'latest', '/image/digest'],
    ['a peer that there is not', 'networkPolicy.metricsFrom', [{ namespace: 'monitoring' }], "'namespace' not allowed"],
    ['an interval that is none', 'metrics.serviceMonitor.interval', '30', '/metrics/serviceMonitor/interval'],
  ])('%s', async (_, path, value, complaint) => {
    const { ok, text } = await template(withValue(path, value, LEAST))
    expect(ok).toBe(false)
    expect(text).toContain(complaint)
  })

  test.each<[string, Values, string]>([
    ['nothing to read from', { settings: {} }, "--set 'settings.KAFKA_BROKERS={kafka-1:9092,kafka-2:9092}'"],
    ['nowhere to write to', { secrets: {} }, 'processor needs MONGODB_URI: kubectl create secret'],
    ['nothing to run', { stages: 'none' }, 'nothing would run. Choose stages=together'],
    [
      'more processors than partitions',
      { processor: { replicas: 13 } },
      'processor.replicas is 13, but the topics have 12 partitions',
    ],
    [
      'a scaler that goes over the partitions',
      { stages: 'apart', ingest: { scaling: { by: 'keda', max: 13 } } },
      'ingest.scaling.max is 13, but the topics have 12 partitions',
    ],
    [
      'fewest above most',
      { processor: { scaling: { min: 5, max: 3 } } },
      'processor.scaling.min is 5, more than its max, 3',
    ],
    ['serve without credentials', { serve: { enabled: true } }, 'set serve.authKeys=<secret>/keys.json'],
    [
      'half of what JWTs need',
      { settings: { KAFKA_BROKERS: 'k:1', JWT_ISSUER: 'https://a' }, serve: { enabled: true, authKeys: 'keys' } },
      'settings.JWT_AUDIENCE, settings.JWT_JWKS_URL is not set',
    ],
    [
      'metrics of serve without a key',
      { serve: { enabled: true, authKeys: 'keys' }, metrics: { serviceMonitor: { enabled: true } } },
      'set serve.metricsKey=<secret>/<key>',
    ],
    [
      'an ingress without hosts',
      { serve: { enabled: true, authKeys: 'keys', ingress: { enabled: true } } },
      'serve.ingress is enabled and has no hosts',
    ],
    [
      'a route without a gateway',
      { serve: { enabled: true, authKeys: 'keys', route: { enabled: true } } },
      'serve.route is enabled and names no gateway',
    ],
    [
      'less time than serve needs to go',
      { serve: { enabled: true, authKeys: 'keys', preStopSeconds: 20 } },
      'terminationGracePeriodSeconds of serve is 30: preStopSeconds are 20',
    ],
    [
      'a secret in two places',
      {
        settings: { KAFKA_BROKERS: 'k:1', KAFKA_SASL_USERNAME: 'a' },
        secrets: { MONGODB_URI: 'a', KAFKA_SASL_USERNAME: 'a' },
      },
      'KAFKA_SASL_USERNAME of processor is among the secrets, and elsewhere too',
    ],
  ])('%s, and says what to do', async (_, values, complaint) => {
    const { ok, text } = await template({ ...LEAST, ...values })
    expect(ok).toBe(false)
    expect(text).toContain(complaint)
  })

  test('all that is wrong at once', async () => {
    const { text } = await template({ processor: { replicas: 50 }, serve: { enabled: true } })
    expect(text.split('\n- ')).toHaveLength(6)
  })
})
