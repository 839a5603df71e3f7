import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { ROOT } from '../../local/build.ts'
import { parseOptions } from '../../src/commands/simulate/options.ts'
import { parseKeys } from '../../src/serve/access/keys-file.ts'
import { NAMES } from '../../src/settings/variables.ts'
import { readSettings } from '../../src/settings.ts'
import { composeSchema } from '../support/corpora.ts'

interface Service {
  image: string
  build?: string
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  profiles?: string[]
  read_only?: boolean
  cap_drop?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck: { test?: string[]; disable?: boolean }
}

const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const text = textOf('docker-compose.yml')
const file = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, null> }
const services = Object.entries(file.services)
const ours = services.filter(([, { build }]) => build === '.')
const settingsOf = ({ environment = {} }: Service) =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => name !== 'NODE_OPTIONS'))

/** Where each service listens for the others, as its own settings or its image have it. */
const LISTENS: Record<string, number[]> = {
  kafka: [9092, 9093],
  mongodb: [27017],
  registry: [8080],
  mysql: [3306],
  processor: [readSettings({}, { needs: [] }).http.port],
  serve: [readSettings({}, { needs: [] }).serve.port],
  traffic: [],
  prometheus: [9090],
  grafana: [3000],
}

describe('docker-compose.yml', () => {
  test('is what Compose reads', () => {
    const { $schema: _, ...schema } = composeSchema()
    const isValid = new Ajv({ strict: false, validateFormats: false }).compile(schema)
    expect([isValid(file), isValid.errors]).toEqual([true, null])
    expect(isValid({ services: { kafka: { imagee: 'x' } } })).toBe(false)
  })

  test('has the whole system', () => {
    expect(Object.keys(file.services)).toEqual(Object.keys(LISTENS))
    expect(ours.map(([name]) => name)).toEqual(['processor', 'serve', 'traffic'])
  })

  test('pins what it runs, and runs what the tests run', () => {
    const images = Object.fromEntries(services.map(([name, { image }]) => [name, image]))
    for (const [name, image] of Object.entries(images)) {
      if (file.services[name]?.build === undefined) expect(image).toMatch(/^[a-z0-9/-]+:v?\d+\.\d+(\.\d+)?(\.Final)?$/)
    }
    expect(images.kafka).toBe(`apache/kafka:${/^const VERSION = '(.*)'/m.exec(textOf('local/native/kafka.ts'))?.[1]}`)
    for (const name of ['mongodb', 'registry', 'mysql'])
      expect(textOf('local/docker.ts')).toContain(`'${images[name]}'`)
  })

  test.each(services)('%s is reached at the port where it listens, on this machine only', (name, { ports = [] }) => {
    for (const port of ports) {
      const [address, , inside] = port.split(':')
      expect(address).toBe('127.0.0.1')
      expect(LISTENS[name]).toContain(Number(inside))
    }
  })

  test.each(ours)('%s has settings that it takes, and finds the others', (name, service) => {
    const settings = settingsOf(service)
    expect(Object.keys(settings).filter((setting) => !(NAMES as string[]).includes(setting))).toEqual([])
    expect(() => readSettings(settings)).not.toThrow()
    const hosts = Object.values(settings).flatMap((value) => [...value.matchAll(/(?<=^|\/\/|@)([a-z]+):(\d+)/g)])
    expect(hosts.length).toBeGreaterThan(2)
    for (const [, host = '', port] of hosts) expect(LISTENS[host]).toContain(Number(port))
    expect(service.image).toBe('pm-parking-events')
    expect([service.read_only, service.cap_drop]).toEqual([true, ['ALL']])
    expect(Object.keys(LISTENS)).toContain(name)
  })

  test('runs commands that there are', () => {
    const commands = ours.map(([, { command = [] }]) => command)
    expect(commands.map(([command]) => command)).toEqual(['process', 'serve', 'simulate'])
    expect(parseOptions(commands[2]?.slice(1) ?? [], 0)).toMatchObject({ events: null, rate: 50 })
    const entry = /^ENTRYPOINT (.*)$/m.exec(textOf('Dockerfile'))?.[1] ?? ''
    for (const [name, { healthcheck }] of ours) {
      if (name !== 'traffic') expect(healthcheck.test).toEqual(['CMD', ...JSON.parse(entry), 'health', '--ready'])
    }
  })

  test.each(services)('%s waits for what is healthy', (_, { depends_on = {} }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect(condition).toBe('service_healthy')
      expect(file.services[name]?.healthcheck.test).toBeDefined()
      expect(file.services[name]?.profiles).toBeUndefined()
    }
  })

  test.each(services)('%s mounts what there is, and cannot write to it', (_, { volumes = [] }) => {
    for (const [source = '', , mode] of volumes.map((volume) => volume.split(':'))) {
      if (source.startsWith('.')) expect([source, existsSync(join(ROOT, source)), mode]).toEqual([source, true, 'ro'])
      else expect(Object.keys(file.volumes)).toContain(source)
    }
  })

  test('has one key for all, which the page and Prometheus use', () => {
    const [key = ''] = /pmk_\S+/.exec(text) ?? []
    const entries = textOf('local/compose/keys.json')
    expect(parseKeys(entries)).toHaveProperty('keys')
    expect(entries).toContain(createHash('sha256').update(key).digest('hex'))
    expect(textOf('local/compose/prometheus.yml')).toContain(`credentials: ${key}\n`)
  })

  test('has a Prometheus that scrapes what listens, and a Grafana that asks it', () => {
    const { scrape_configs } = parse(textOf('local/compose/prometheus.yml')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[]
    }
    const targets = scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap(({ targets: all }) => all))
    expect(targets).toEqual([`processor:${LISTENS.processor}`, `serve:${LISTENS.serve}`])
    const { datasources } = parse(textOf('local/compose/grafana/datasources.yaml')) as {
      datasources: { url: string }[]
    }
    expect(datasources.map(({ url }) => url)).toEqual(['http://prometheus:9090'])
    const { providers } = parse(textOf('local/compose/grafana/dashboards.yaml')) as {
      providers: { options: { path: string } }[]
    }
    const mounted = file.services.grafana?.volumes?.find((volume) => volume.startsWith('./helm/dashboards:'))
    expect(mounted?.split(':')[1]).toBe(providers[0]?.options.path)
    const home = file.services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? ''
    expect(existsSync(join(ROOT, home.replace('/var/lib/grafana', 'helm')))).toBe(true)
  })

  test('tells programs outside of Docker where it is', () => {
    const told = [...text.matchAll(/([A-Z_]+)='?([^\s']+)'?/g)].filter(([, name = '']) =>
      (NAMES as string[]).includes(name),
    )
    const settings = Object.fromEntries(told.map(([, name = '', value = '']) => [name, value]))
    expect(Object.keys(settings)).toEqual(['KAFKA_BROKERS', 'MONGODB_URI', 'SCHEMA_REGISTRY_URL', 'PRIMARY_MYSQL_URI'])
    expect(() => readSettings(settings)).not.toThrow()
    const published = services.flatMap(([, { ports = [] }]) => ports.map((port) => Number(port.split(':')[1])))
    for (const value of Object.values(settings)) expect(published).toContain(Number(/:(\d+)(\/|$)/.exec(value)?.[1]))
  })
})
