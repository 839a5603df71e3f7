import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type AggregationCursor, MongoClient } from 'mongodb'
import { ROOT } from '../../local/build.ts'
import { freePorts } from '../../local/ports.ts'
import { createAccessKeys } from '../support/access-keys.ts'
import { dashboardFiles, filledIn, panelQueries } from '../support/dashboards.ts'
import { openHowTo } from '../support/how-to.ts'
import { blocksOf, Terminal } from '../support/page-commands.ts'
import { relay } from '../support/primary.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { type Prometheus, watchWithPrometheus } from '../support/prometheus.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { readUntilStopped } from '../support/read-traffic.ts'
import { type Run, startMain } from '../support/run-main.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

/** A real Prometheus beside the real program at work: every rule, dashboard and runbook is asked of it. */
const { env, mongodbUri, primaryUri } = sharedServices()
const names = newRunNames('watch')
const keys = createAccessKeys()
const KEY = keys.secrets.get('all') as string
const PATIENCE_MS = 60_000

let mongo: Awaited<ReturnType<typeof relay>>
let prometheus: Prometheus
let processor: Processor
let side: ReadSide
let traffic: Run
let reads: AsyncDisposable
let settings: Record<string, string>

beforeAll(async () => {
  const [opsPort, servePort] = (await freePorts(2)) as [number, number]
  mongo = await relay(mongodbUri)
  const direct = new URL(mongo.uri)
  direct.search = 'directConnection=true'
  keys.writeKeys()
  settings = {
    ...{ KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: direct.href, PRIMARY_MYSQL_URI: primaryUri, ...names },
    ...{ HTTP_PORT: String(opsPort), SERVE_PORT: String(servePort), AUTH_KEYS_FILE: keys.file },
  }
  // First of all, so that it sees counters rise from 0.
  const [process, serve] = [`127.0.0.1:${opsPort}`, `127.0.0.1:${servePort}`]
  prometheus = await watchWithPrometheus({ process, serve, key: KEY })
  processor = await startProcessor(settings)
  side = await startReadSide(settings)
  traffic = startMain(['simulate', '--events', '100000', '--rate', '200', '--malformed', '0.005'], settings)
  reads = readUntilStopped(side, keys.keyOf('all'))
}, 120_000)

afterAll(async () => {
  await reads?.[Symbol.asyncDispose]()
  traffic?.child.kill('SIGTERM')
  await traffic?.ended
  await prometheus?.[Symbol.asyncDispose]()
  await side?.[Symbol.asyncDispose]()
  await processor?.[Symbol.asyncDispose]()
  await mongo?.[Symbol.asyncDispose]()
  keys[Symbol.dispose]()
  await using client = new MongoClient(mongodbUri)
  await client.db(names.MONGODB_DATABASE).dropDatabase()
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
}, 60_000)

/** Panels that have nothing to show while all is well, and why. */
const EMPTY_WHILE_WELL: Record<string, string> = {
  'overview: Alerts that fire or are about to': 'there is none; asked again in an outage, below',
}

/** Since another processor comes and goes. */
async function lanesOpenAgain(): Promise<void> {
  await using another = await startProcessor({ ...settings, HTTP_PORT: '0' })
  await another.stop()
}

describe('under load', () => {
  const queries = panelQueries().map((one) => ({ ...one, of: `${one.dashboard}: ${one.panel}` }))

  test.each(queries)(
    '$of has something to show',
    async ({ of, expression }) => {
      const ask = () => prometheus.query(filledIn(expression))
      if (of in EMPTY_WHILE_WELL) return void (await ask())
      if (/pm_restore(d|_duration)/.test(expression)) await lanesOpenAgain()
      const isThere = async () => (await ask()).some(({ value }) => Number.isFinite(value))
      await until(isThere, { timeoutMs: PATIENCE_MS, what: `${expression} has a value`, everyMs: 500 })
    },
    120_000,
  )

  test('both programs are among the jobs that one can choose, also where nothing has a namespace', async () => {
    for (const { templating } of dashboardFiles().values()) {
      for (const { name, type, query } of templating.list) {
        if (type === 'datasource') continue
        const text = typeof query === 'string' ? query : query.query
        const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(filledIn(text)) ?? []
        expect(label).toBe(name)
        const expected = label === 'job' ? ['parking-process', 'parking-serve'] : []
        expect(await prometheus.valuesOf(label, selector)).toEqual(expected)
      }
    }
  })

  test('every rule can be evaluated, and every recorded series is there', async () => {
    const rules = await prometheus.rules()
    expect(rules.length).toBeGreaterThan(40)
    expect(rules.filter(({ lastError }) => lastError)).toEqual([])
    const recorded = new Set(rules.flatMap(({ name }) => (name.includes(':') ? [name] : [])))
    // Nothing stands still.
    expect(await prometheus.query('job_topic:pm_partitions_stalled:count')).toEqual([])
    recorded.delete('job_topic:pm_partitions_stalled:count')
    for (const name of recorded) {
      const isThere = async () => (await prometheus.query(name)).length > 0
      await until(isThere, { timeoutMs: PATIENCE_MS, what: `${name} is there`, everyMs: 500 })
    }
  })

  test('no alert fires, though none of them waits for longer than seconds here', async () => {
    const startedAt = Date.now()
    const firing = async () => (await prometheus.alerts()).filter(({ state }) => state === 'firing')
    await until(async () => Date.now() - startedAt > 10_000 || (await firing()).length > 0, {
      timeoutMs: 20_000,
      what: 'ten seconds have passed without an alert',
      everyMs: 500,
    })
    expect(await firing()).toEqual([])
  })

  test('both are ready, all records are accounted for, and fresh', async () => {
    expect(await prometheus.query('sum(pm_ready)')).toEqual([{ labels: {}, value: 2 }])
    const [unaccounted] = await prometheus.query('sum(instance:pm_records_unaccounted:sum)')
    expect(unaccounted?.value).toBe(0)
    for (const what of ['documents', 'updates']) {
      const [late] = await prometheus.query(`job:pm_${what}_late:ratio_rate5m`)
      expect(late?.value).toBeLessThan(0.001)
    }
  })
})

const pages = readdirSync(join(ROOT, 'docs/runbooks'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/runbooks/${name}`)

describe('the pages tell what can be done:', () => {
  const blocks = [...pages, 'docs/how-to/watch.md'].flatMap((page) =>
    blocksOf(page).map((block) => ({ page: page.replace('docs/', ''), ...block })),
  )

  test.each(blocks.filter(({ language }) => language === 'promql'))('$page asks $text', async ({ text }) => {
    await prometheus.query(text)
  })

  const commands = [...new Set(blocks.filter(({ language }) => language === 'sh').map(({ text }) => text))]
  test('each command works', async () => {
    const { tools } = await openHowTo('watch.md')
    // The record that ParkingStalled.md keeps: the first one.
    const place = { T: names.EVENTS_TOPICS, P: '0', O: '0' }
    const PATH = [tools, dirname(process.execPath), process.env.PATH].join(delimiter)
    await using terminal = new Terminal({ ...settings, ...place, KEY, PATH })
    for (const command of commands) {
      const here = command
        .replaceAll('kafka:9092', env.KAFKA_BROKERS)
        .replaceAll('> record', `> ${tools}/record`)
        .replaceAll('localhost:9464', `localhost:${settings.HTTP_PORT}`)
        .replaceAll('localhost:8080', `localhost:${settings.SERVE_PORT}`)
      await terminal.run(here)
    }
    expect(readFileSync(join(tools, 'record'), 'utf8')).toMatch(/\t/)
  })

  test.each(blocks.filter(({ language }) => language === 'js'))('$page asks MongoDB', async ({ text }) => {
    await using client = new MongoClient(mongodbUri)
    const documents = client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION)
    const ask = new Function('db', `return ${text}`) as (db: unknown) => AggregationCursor
    expect(await ask({ [names.MONGODB_COLLECTION]: documents }).toArray()).not.toEqual([])
  })
})

test('MongoDB away: the alert fires, and the overview shows it', async () => {
  await mongo[Symbol.asyncDispose]()
  const isFiring = async () =>
    (await prometheus.alerts()).some(
      ({ labels, state }) =>
        state === 'firing' && labels.alertname === 'ParkingDependencyDown' && labels.dependency === 'mongodb',
    )
  await until(isFiring, { timeoutMs: PATIENCE_MS, what: 'ParkingDependencyDown fires for mongodb', everyMs: 500 })
  const shown = panelQueries().find(({ panel }) => panel === 'Alerts that fire or are about to')
  const alerts = await prometheus.query(filledIn(shown?.expression ?? ''))
  expect(alerts.map(({ labels }) => labels.alertname)).toContain('ParkingDependencyDown')
  const isNotReady = async () => (await prometheus.query('max(pm_ready)'))[0]?.value === 0
  await until(isNotReady, { timeoutMs: PATIENCE_MS, what: 'neither is ready', everyMs: 500 })
}, 180_000)
