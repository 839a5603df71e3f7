/** The read side beside plain Express and Mongoose, on one database: requests a second, latency, processor time a request. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { MongoClient } from 'mongodb'
import { build, MAIN, ROOT } from '../local/build.ts'
import * as guard from '../local/native/guard.ts'
import { withAdmin } from '../local/quiet-kafka.ts'
import { type Services, startServices } from '../local/services.ts'
import { until } from '../local/until.ts'
import type { CacheDocument } from '../src/contract/document.ts'
import { createTopic } from '../src/stream/topics.ts'
import { between, look, processors } from './processor-time.ts'
import { cardPath, eventPath, PER_CARD, store } from './serve/documents.ts'
import type { Load, LoadOptions } from './serve/load.ts'
import { ratios, spread } from './statistics.ts'

const HELP = `Usage: npm run bench:serve [-- options]

  --documents N    documents in the database (200000)
  --seconds S      of one measurement (8)
  --rounds R       measurements of each side, in turn (3)
  --connections C  clients at a time (64)
  --only TEXT      cases whose name has it
  -h, --help       this text
`

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

interface Side {
  name: string
  url: string
  pid: number
}

/** `cold` has a memory of one MiB: almost everything is asked of the database. */
type Sides = { cold: Side; warm: Side; peer: Side }

interface Case {
  what: string
  side: 'cold' | 'warm'
  load: Pick<LoadOptions, 'keys' | 'skew' | 'path'>
  /** Requests a second, times those of the peer. */
  must: number
}

const cases = (documents: number): Case[] => {
  const cards = documents / PER_CARD
  return [
    { what: 'by id, from the database', side: 'cold', load: { keys: documents, skew: 0, path: eventPath }, must: 3 },
    { what: 'by id, Zipf 1.1', side: 'warm', load: { keys: documents, skew: 1.1, path: eventPath }, must: 3 },
    { what: 'by id, 100 hot keys', side: 'warm', load: { keys: 100, skew: 0, path: eventPath }, must: 10 },
    { what: 'by card, from the database', side: 'cold', load: { keys: cards, skew: 0, path: cardPath }, must: 3 },
    { what: 'by card, 100 hot cards', side: 'warm', load: { keys: 100, skew: 0, path: cardPath }, must: 10 },
  ]
}

interface Measured extends Load {
  perSecond: number
  /** Microseconds of processor time a request. */
  ownCost: number
  mongodCost: number
}

const run = promisify(execFile)

async function measure(side: Side, load: LoadOptions, mongod: number): Promise<Measured> {
  const before = look({ side: [side.pid], mongod: [mongod] })
  const { stdout } = await run(process.execPath, [join(ROOT, 'bench', 'serve', 'load.ts'), JSON.stringify(load)])
  const { own } = between(before, look({ side: [side.pid], mongod: [mongod] }))
  const result = JSON.parse(stdout) as Load
  const cost = (seconds = 0) => (1e6 * seconds) / result.requests
  return {
    ...result,
    perSecond: result.requests / result.seconds,
    ownCost: cost(own.side),
    mongodCost: cost(own.mongod),
  }
}

async function compare(sides: Sides, one: Case, mongod: number): Promise<boolean> {
  const options = { connections: Number(values.connections), seconds: Number(values.seconds), ...one.load }
  const ours: Measured[] = []
  const theirs: Measured[] = []
  const side = sides[one.side]
  for (const warmed of [side, sides.peer]) await measure(warmed, { ...options, url: warmed.url, seconds: 3 }, mongod)
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(await measure(side, { ...options, url: side.url }, mongod))
    theirs.push(await measure(sides.peer, { ...options, url: sides.peer.url }, mongod))
  }
  const of = (all: Measured[], figure: keyof Measured) => spread(all.map((round) => round[figure])).median
  const perSecond = (all: Measured[]) => all.map((round) => round.perSecond)
  const { median, min, max } = ratios(perSecond(ours), perSecond(theirs))
  print(`\n${one.what}`)
  for (const [name, all] of [
    ['serve', ours],
    ['Express + Mongoose', theirs],
  ] as const) {
    print(
      `  ${name.padEnd(20)}${of(all, 'perSecond').toFixed(0).padStart(8)}/s   p50 ${of(all, 'p50')} ms   p99 ${of(all, 'p99')} ms   ` +
        `${of(all, 'ownCost').toFixed(0)} µs a request, mongod ${of(all, 'mongodCost').toFixed(0)}   failures ${of(all, 'failures')}`,
    )
  }
  const cost = ratios(
    theirs.map((r) => r.ownCost + r.mongodCost),
    ours.map((r) => r.ownCost + r.mongodCost),
  ).median
  print(
    `  ${median.toFixed(1)} times as many (${min.toFixed(1)} to ${max.toFixed(1)}; must ${one.must}), ` +
      `at 1/${cost.toFixed(1)} of the processor time`,
  )
  return median >= one.must && [...ours, ...theirs].every(({ failures }) => failures === 0)
}

async function launch(name: string, args: string[], env: Record<string, string>, port: RegExp): Promise<Side> {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} did not start`)
  guard.watch(pid)
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-20_000)
  })
  const found = () => port.exec(output)?.[1]
  await until(async () => child.exitCode !== null || found() !== undefined, {
    timeoutMs: 60_000,
    what: `${name} listens`,
  })
  if (child.exitCode !== null) throw new Error(`${name} ended: ${output}`)
  return { name, pid, url: `http://127.0.0.1:${found()}` }
}

const DATABASE = 'bench_serve'

async function launchAll(services: Services): Promise<Sides> {
  const env = { ...services.env, MONGODB_DATABASE: DATABASE }
  const serve = (mib: number) =>
    launch(
      `serve with ${mib} MiB`,
      [MAIN, 'serve'],
      { ...env, SERVE_PORT: '0', SERVE_RATE_LIMIT: '0', SERVE_CACHE_MB: String(mib) },
      /"port":(\d+),"msg":"serving/,
    )
  const peer = [join(ROOT, 'bench', 'serve', 'peer.ts')]
  const sides = {
    cold: await serve(1),
    warm: await serve(64),
    peer: await launch('Express + Mongoose', peer, { ...env, NODE_ENV: 'production' }, /listening (\d+)/),
  }
  for (const { url, name } of [sides.cold, sides.warm]) {
    const isReady = async () => (await fetch(`${url}/readyz`)).ok
    await until(isReady, { timeoutMs: 60_000, what: `${name} is ready` })
  }
  return sides
}

async function main(): Promise<number> {
  if (values.help) {
    print(HELP)
    return 0
  }
  await build(print)
  await using services = await startServices({ fresh: true, progress: print })
  const mongod = await services.mongodb.pid?.()
  if (!mongod) throw new Error('The process of MongoDB cannot be seen from here: run the bench where it runs')
  await using mongo = new MongoClient(services.env.MONGODB_URI)
  const documents = Number(values.documents)
  print(`Storing ${documents} documents …`)
  await store(mongo.db(DATABASE).collection<CacheDocument>('pm_parking_events'), documents)
  await withAdmin(services.env.KAFKA_BROKERS, async (admin) => {
    await createTopic(admin, 'parkmobile.status-updates', 12, { 'cleanup.policy': 'compact' })
    await createTopic(admin, 'parkmobile.dead-letters', 1)
  })
  const sides = await launchAll(services)
  print(`${processors()}, ${values.connections} connections, ${values.rounds} rounds of ${values.seconds} s, in turn`)
  let isEnough = true
  for (const one of cases(documents).filter(({ what }) => what.includes(values.only)))
    isEnough = (await compare(sides, one, mongod)) && isEnough
  for (const { pid } of Object.values(sides)) process.kill(pid, 'SIGTERM')
  return isEnough ? 0 : 1
}

process.exit(await main())
