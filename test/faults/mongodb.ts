import { setTimeout as delay } from 'node:timers/promises'
import { type Document, MongoClient } from 'mongodb'
import type { ReplicaSetMember } from '../../local/native/replica-set.ts'
import { total } from '../../local/scrape.ts'
import { until } from '../../local/until.ts'
import type { Random } from '../../src/simulate/random.ts'
import { isWaiting, type Processor } from '../support/processor.ts'
import { underLoad } from './brokers.ts'
import type { FaultRun, OwnRecord, Scenario } from './run.ts'

const PATIENCE_MS = 90_000
const AWAY_MS = 20_000
const LONG_AWAY_MS = 180_000
const FOR_ONE_ALONE = 600

/** Asks one member, past its link and whatever the others think. */
async function ask<T>({ directUri }: ReplicaSetMember, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(directUri, { serverSelectionTimeoutMS: 5_000 })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

const command = (member: ReplicaSetMember, what: Document): Promise<Document> =>
  ask(member, (client) => client.db('admin').command(what))

/** @throws when the processor has not noticed anything, or has ended: then the fault proves nothing */
function assertWaited({ fleet: { members } }: FaultRun): void {
  const [processor] = members as [Processor]
  const { log, hasEnded } = processor
  if (log().includes('waiting for mongodb') && !hasEnded()) return
  throw new Error(`The processor did not wait for MongoDB, or has ended:\n${log()}`)
}

/** Another member leads, again and again, as when an operator upgrades them one by one. */
async function steppedDown(run: FaultRun): Promise<void> {
  const { random, cluster } = run
  await underLoad(run, async () => {
    for (let times = 3; times > 0; times--) {
      const old = await cluster.mongodb.primary()
      await command(old, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5, force: true })
      const next = await cluster.mongodb.primary()
      if (next === old) throw new Error(`Member ${old.id} did not step down`)
      run.say(`member ${next.id} leads in the place of member ${old.id}`)
      run.count('step-downs')
      await delay(random.int(300, 2_500))
    }
  })
  assertWaited(run)
}

/** It is gone in the middle of writes, and comes back when another leads. */
async function primaryKilled(run: FaultRun): Promise<void> {
  const { random, cluster } = run
  await underLoad(run, async () => {
    for (let times = 2; times > 0; times--) {
      const old = await cluster.mongodb.primary()
      await old.kill()
      const next = await cluster.mongodb.primary()
      run.say(`member ${old.id} is killed, member ${next.id} leads`)
      run.count('primaries killed')
      await delay(random.int(0, 3_000))
      await old.start()
      await until(() => cluster.mongodb.isWhole(), {
        timeoutMs: PATIENCE_MS,
        everyMs: 200,
        what: 'all of MongoDB serves',
      })
    }
  })
  assertWaited(run)
}

/** Documents that a member shows and that its majority has not confirmed. */
const onlyThere = ({ names }: FaultRun, member: ReplicaSetMember): Promise<number> =>
  ask(member, async (client) => {
    const documents = client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION)
    const count = (level: 'local' | 'majority') => documents.countDocuments({}, { readConcern: { level } })
    const confirmed = await count('majority')
    return (await count('local')) - confirmed
  })

const rollBacks = async (member: ReplicaSetMember): Promise<number> =>
  (await command(member, { replSetGetRBID: 1 })).rbid

/** A primary without a majority takes documents; then others lead, and what it took is undone. */
async function rolledBack(run: FaultRun): Promise<void> {
  const { random, cluster } = run
  await underLoad(run, async () => {
    const old = await cluster.mongodb.primary()
    const others = cluster.mongodb.members.filter((member) => member !== old)
    const before = await rollBacks(old)
    // So that it begins with whole chunks when the primary is alone.
    const [processor] = run.fleet.members as [Processor]
    processor.signal('SIGSTOP')
    await run.send(FOR_ONE_ALONE)
    // Killed, not frozen: those would find on their connections what it has sent meanwhile.
    await Promise.all(others.map((member) => member.kill()))
    processor.signal('SIGCONT')
    const waiting = { timeoutMs: PATIENCE_MS, everyMs: 50, what: 'a primary alone takes documents' }
    await until(async () => (await onlyThere(run, old)) > 0, waiting)
    // By then they are on its disk, and before or after this it notices that it is alone.
    await delay(random.int(300, 4_000))
    const taken = await onlyThere(run, old)
    await old.kill()
    await Promise.all(others.map((member) => member.start()))
    await cluster.mongodb.primary()
    await delay(random.int(0, 2_000))
    await old.start()
    await until(async () => (await rollBacks(old)) > before, { ...waiting, what: 'what it took alone is rolled back' })
    run.say(`member ${old.id} took ${taken} documents alone and gave them up`)
    run.count('documents rolled back', taken)
  })
  assertWaited(run)
}

const GOING: Record<string, (member: ReplicaSetMember) => Promise<void>> = {
  killed: (member) => member.kill(),
  frozen: (member) => member.pause(),
  'cut off': ({ link }) => link.cut(),
}

/** All three members at once, while records keep coming. */
async function away(run: FaultRun, ms: number): Promise<void> {
  const { random, cluster, fleet } = run
  await underLoad(run, async () => {
    const [processor] = fleet.members as [Processor]
    const way = random.pick(['killed', 'frozen', 'cut off'])
    await delay(random.int(0, 1_000))
    await Promise.all(cluster.mongodb.members.map(GOING[way] as (typeof GOING)[string]))
    await until(() => saysAway(processor), { timeoutMs: PATIENCE_MS, what: 'a processor says that MongoDB is away' })
    await delay(ms)
    if (!(await saysAway(processor))) throw new Error(`All of MongoDB is ${way}, and the processor is ready`)
    await cluster.heal()
    const isReady = async () => (await processor.answers('/readyz')) === 200
    await until(isReady, { timeoutMs: PATIENCE_MS, what: 'a processor is ready again' })
    run.say(`MongoDB was ${way}`)
    run.count('outages')
  })
  assertWaited(run)
}

/** It waits, because of MongoDB. */
async function saysAway(processor: Processor): Promise<boolean> {
  const isUp = total(await processor.metrics(), 'pm_dependency_up', { dependency: 'mongodb' })
  return isUp === 0 && (await isWaiting(processor))
}

/** Far away and behind a narrow line, from the program and from each other. */
async function slow(run: FaultRun): Promise<void> {
  const { random, cluster, fleet } = run
  const ms = random.int(100, 300)
  const kilobytes = random.int(50, 200)
  await underLoad(run, async () => {
    const [processor] = fleet.members as [Processor]
    for (const { link } of cluster.mongodb.members) {
      await Promise.all([link.slow(ms, 20), link.throttle(kilobytes, 'upstream')])
    }
    const before = await writesOf(processor)
    const writes = async () => (await writesOf(processor)).count - before.count
    await until(async () => (await writes()) >= 10, { timeoutMs: PATIENCE_MS, what: 'documents are written slowly' })
    await delay(5_000)
    const after = await writesOf(processor)
    const took = ((after.seconds - before.seconds) / (after.count - before.count)) * 1_000
    if (took < ms / 2) throw new Error(`The links are slow by ${ms} ms, and a write takes ${took} ms`)
    run.say(`slow by ${ms} ms, ${kilobytes} kB/s: a write takes ${took.toFixed(0)} ms`)
    run.count('slow writes', await writes())
  })
}

async function writesOf(processor: Processor): Promise<{ count: number; seconds: number }> {
  const samples = await processor.metrics()
  const sum = (of: string) => total(samples, `pm_step_duration_seconds_${of}`, { stage: 'ingest', step: 'write' })
  return { count: sum('count'), seconds: sum('sum') }
}

const WAVES = 6
const IDS_IN_A_WAVE = 200
const MOST_COPIES = 3

/** Two processors, and several partitions of each, get the same new ids at the same moment. */
async function storm(run: FaultRun): Promise<void> {
  const { random, cluster, fleet, progress } = run
  await Promise.all([fleet.start(), fleet.start()])
  const before = await collisions(await cluster.mongodb.primary())
  const partitions = Math.min(run.inputPartitions, MOST_COPIES)
  for (let wave = 0; wave < WAVES; wave++) {
    const drafts = Array.from({ length: IDS_IN_A_WAVE }, (_, i) => draft(random, `${wave}-${i}`))
    const copies = Array.from({ length: partitions }, (_, partition) => drafts.map((one) => eventOf(one, partition)))
    await Promise.all([run.produce('events', copies.flat()), run.produce('responses', drafts.map(responseOf))])
    await progress.caughtUp(PATIENCE_MS)
  }
  const collided = (await collisions(await cluster.mongodb.primary())) - before
  if (collided <= 0) throw new Error('No two inserts met on one id')
  run.count('collisions', collided)
}

/** Documents whose insert was tried and not done, since a member began; more than once each, if need be. */
async function collisions(member: ReplicaSetMember): Promise<number> {
  const { opcounters, metrics } = await command(member, { serverStatus: 1 })
  return opcounters.insert - metrics.document.inserted
}

interface Draft {
  name: string
  at: number
  statuses: string[]
}

function draft(random: Random, name: string): Draft {
  const statuses = Array.from({ length: MOST_COPIES + 1 }, () => random.pick(['on-going', 'alerted', 'finished']))
  return { name, at: Date.now() - random.int(0, 86_400_000), statuses }
}

/** Copies of one id differ, and one of them is newest: the last, or all of one millisecond. */
function eventOf({ name, at, statuses }: Draft, partition: number): OwnRecord {
  const value = {
    ...{ event_id: `id-${name}`, event_type: 'parking_extend', card: '411111------1111', zone_id: '7' },
    ...{ session_data: { session_id: `session-${name}` }, timestamp: at + (at % 3) * partition },
    status: statuses[partition],
  }
  return { partition, key: `id-${name}`, value: JSON.stringify(value) }
}

function responseOf({ name, at, statuses }: Draft): OwnRecord {
  const response = { session_id: `session-${name}`, status: statuses.at(-1) }
  const value = { event_id: `id-${name}`, card: null, http_status: at % 5 === 0 ? 500 : 200, response, timestamp: at }
  return { partition: 0, key: `id-${name}`, value: JSON.stringify(value) }
}

export const scenarios: Scenario[] = [
  { name: 'the primary of MongoDB steps down again and again', play: steppedDown },
  // A roll-back begins with such a kill.
  { name: 'the primary of MongoDB is killed, and comes back', play: primaryKilled, long: true },
  { name: 'MongoDB rolls back what a primary without a majority took', play: rolledBack },
  { name: 'all of MongoDB is away', play: (run) => away(run, AWAY_MS) },
  { name: 'all of MongoDB is away for minutes', play: (run) => away(run, LONG_AWAY_MS), long: true },
  { name: 'MongoDB is slow and its links are narrow', play: slow, long: true },
  { name: 'two processors and all partitions get the same new ids at once', play: storm },
]
