import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../local/until.ts'
import { isWaiting, type Processor } from '../support/processor.ts'
import { type Mood, type RegistryProxy, startRegistryProxy } from '../support/registry-proxy.ts'
import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 500
const PATIENCE_MS = 90_000
/** How long each fault lasts. */
const AWAY_MS = 2_000
/** For each partition of an input, within an outage: at first about once a second, and then more seldom. */
const MOST_ASKED = 12

const json = (status: number, body: object): Mood => ({
  ...{ status, type: 'application/vnd.schemaregistry.v1+json', body: JSON.stringify(body) },
})
const page = (status: number): Mood => ({ status, type: 'text/html', body: '<html><h1>no</h1></html>' })

/** What is nobody's record's fault. */
const OUTAGES: [string, Mood][] = [
  ['silent', 'silent'],
  ['500 by the registry', json(500, { error_code: 50001, message: 'Error in the backend data store' })],
  ['503 by what stands before it', page(503)],
  ['404 by what stands before it', page(404)],
  ['401', json(401, { error_code: 40101, message: 'Unauthorized' })],
]

/** It has nothing to read by, so nothing goes on and nothing is thrown away. */
const untilItWaits = (processor: Processor): Promise<unknown> =>
  until(() => isWaiting(processor), { timeoutMs: PATIENCE_MS, what: 'a processor says that it waits' })

const UNKNOWN_SCHEMA = 987_654
const UNKNOWN = 300

/** A schema that the registry does not know is the records' fault: dead letters, and one question for all of them. */
async function sendUnknown({ produce, inputPartitions }: FaultRun): Promise<void> {
  const value = Buffer.alloc(9)
  value.writeInt32BE(UNKNOWN_SCHEMA, 1)
  const records = Array.from({ length: UNKNOWN }, (_, i) => ({
    ...{ partition: i % inputPartitions, key: `unknown-${i}`, value },
  }))
  await produce('events', records)
}

/** Answers of every kind that say nothing about a schema: waited out, with few questions. */
async function spoiltAnswers(run: FaultRun): Promise<void> {
  const { fleet, cluster, random } = run
  await using proxy = await startRegistryProxy(cluster.env.SCHEMA_REGISTRY_URL)
  await run.send(RECORDS)
  const first = random.int(0, OUTAGES.length - 1)
  for (const [index, [name, mood]] of [...OUTAGES.slice(first), ...OUTAGES.slice(0, first)].entries()) {
    proxy.mood = mood
    const before = new Map(proxy.asked)
    if (index === 0) fleet.launch({ SCHEMA_REGISTRY_URL: proxy.url })
    await until(() => askedMost(proxy, before) > 0, { timeoutMs: PATIENCE_MS, what: 'a processor asks for a schema' })
    await untilItWaits(fleet.members[0] as Processor)
    await delay(AWAY_MS)
    const asked = askedMost(proxy, before)
    run.say(`${name}: asked ${asked} times for a schema`)
    if (asked > MOST_ASKED * 2 * run.inputPartitions) throw new Error(`${name}: a schema was asked for ${asked} times`)
    run.count('outages')
  }
  proxy.mood = 'honest'
  await run.progress.caughtUp(PATIENCE_MS)
  await sendUnknown(run)
  await run.progress.caughtUp(PATIENCE_MS)
  const asked = proxy.asked.get(String(UNKNOWN_SCHEMA)) ?? 0
  if (asked === 0 || asked > 2) throw new Error(`${UNKNOWN} records of an unknown schema: asked ${asked} times`)
  await fleet.end(0, 'stop')
}

/** Requests for the schema that was asked for most since then. */
function askedMost({ asked }: RegistryProxy, before: ReadonlyMap<string, number>): number {
  return Math.max(0, ...[...asked].map(([id, count]) => count - (before.get(id) ?? 0)))
}

/** The registry itself, over TCP: gone, frozen, killed, slow, while new processors have everything to ask. */
async function registryAway(run: FaultRun): Promise<void> {
  const { fleet, cluster, random } = run
  const { registry } = cluster
  const ways = {
    cut: () => registry.link.cut(),
    frozen: () => registry.pause(),
    slow: () => registry.link.slow(random.int(500, 3_000), 200),
    broken: () => registry.link.closeAfter(random.int(1, 300)),
  }
  const names = Object.keys(ways) as (keyof typeof ways)[]
  const first = random.int(0, names.length - 1)
  for (const name of [...names, ...names].slice(first, first + 2)) {
    await run.send(RECORDS)
    await ways[name]()
    const processor = fleet.launch()
    if (name !== 'slow') await untilItWaits(processor)
    await delay(AWAY_MS)
    await Promise.all([registry.link.heal(), registry.resume()])
    await run.progress.caughtUp(PATIENCE_MS)
    await fleet.end(processor, 'stop')
    run.say(`the registry was ${name}`)
    run.count('outages')
  }
}

export const scenarios: Scenario[] = [
  // test/integration/outages.test.ts takes it away as well.
  { name: 'the registry is away, frozen, slow or breaks off', play: registryAway, long: true },
  { name: 'the registry, or what stands before it, answers nonsense', play: spoiltAnswers },
]
