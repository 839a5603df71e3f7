import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { freePorts } from '../../local/ports.ts'
import { until } from '../../local/until.ts'
import { type Block, blocksOf, makeCheckout, runBlocks, Terminal } from '../support/page-commands.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { runMain } from '../support/run-main.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices } from '../support/services.ts'

const { env } = sharedServices()
const { SCHEMA_REGISTRY_URL: _, ...stores } = env
const settings = { ...stores, ...newRunNames('how-to') }
const TRAFFIC = ['simulate', '--events', '2000', '--malformed', '0.02', '--seed', 'how-to']
let processor: Processor
/** A checkout in which a page may leave files. */
let checkout: string

beforeAll(async () => {
  checkout = await makeCheckout()
  processor = await startProcessor(settings)
  expect(await runMain(TRAFFIC, settings)).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await processor[Symbol.asyncDispose]()
  await rm(checkout, { recursive: true, force: true })
})

/** A page's blocks with the addresses of this run in place of the page's. */
const pageWith = (path: string, addresses: Record<string, string>): Block[] =>
  blocksOf(path).map(({ language, text }) => {
    const own = Object.entries(addresses).reduce((all, [of, by]) => all.replaceAll(of, by), text)
    return { language, text: own }
  })

test('docs/how-to/deal-with-dead-letters.md', async () => {
  const { stdout } = await runMain(
    ['dead-letters', 'list', '--json', '--reason', 'invalid_json', '--limit', '1'],
    settings,
  )
  const [{ partition, offset }] = JSON.parse(stdout).letters
  const addresses = { 'kafka:9092': env.KAFKA_BROKERS, '3:17': `${partition}:${offset}` }
  await using terminal = new Terminal(settings, checkout)
  await runBlocks(pageWith('docs/how-to/deal-with-dead-letters.md', addresses), terminal)
  expect(terminal.output).toMatch(/--execute/)
})

test('docs/how-to/subscribe-to-status-updates.md', async () => {
  await using terminal = new Terminal({ ...settings, GROUP_ID: `${settings.KAFKA_GROUP_ID}-subscriber` }, checkout)
  await runBlocks(pageWith('docs/how-to/subscribe-to-status-updates.md', { 'kafka:9092': env.KAFKA_BROKERS }), terminal)
})

test('docs/how-to/serve-applications.md', async () => {
  const [port] = (await freePorts(1)) as [number]
  const addresses = {
    'kafka:9092': env.KAFKA_BROKERS,
    'mongodb://mongo:27017': `'${env.MONGODB_URI}'`,
    'localhost:8080': `127.0.0.1:${port}`,
  }
  const [makeKey, start, ask, subscribe] = pageWith('docs/how-to/serve-applications.md', addresses) as [
    Block,
    Block,
    Block,
    Block,
  ]
  await using first = new Terminal(settings, checkout)
  await using second = new Terminal({ ...settings, SERVE_PORT: String(port) }, checkout)
  await first.run(makeKey.text)
  second.start(start.text)
  const isReady = () => fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok)
  await until(() => isReady().catch(() => false), { timeoutMs: 60_000, what: 'serve is ready' })
  expect(await first.run(ask.text)).toMatch(/\{"zones":\[.*"title":"/)
  expect(await first.run(subscribe.text)).toMatch(/^(retry|: |id)/)
  await second.stop()
})
