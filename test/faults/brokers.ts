import { setTimeout as delay } from 'node:timers/promises'
import type { Broker } from '../../local/native/kafka-cluster.ts'
import type { Link } from '../../local/native/toxiproxy.ts'
import { withAdmin } from '../../local/quiet-kafka.ts'
import { total } from '../../local/scrape.ts'
import { until } from '../../local/until.ts'
import { coordinatorOf, leaderOf } from '../support/leaders.ts'
import type { Processor } from '../support/processor.ts'
import { atPoint } from './points.ts'
import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 1_000
/** For so many seconds records keep coming. */
const SECONDS = 15
const PER_SECOND = 60
const PATIENCE_MS = 90_000

/** Has records come while a processor works on them and `disturb` does its worst. */
export async function underLoad(run: FaultRun, disturb: () => Promise<void>): Promise<void> {
  await run.send(RECORDS)
  await run.fleet.start()
  const traffic = run.send(SECONDS * PER_SECOND, { rate: PER_SECOND })
  await disturb()
  await traffic
}

const admin = <T>({ cluster }: FaultRun, use: Parameters<typeof withAdmin<T>>[1]): Promise<T> =>
  withAdmin(cluster.env.KAFKA_BROKERS, use)

function brokerOf({ cluster }: FaultRun, id: number): Broker {
  const broker = cluster.kafka.brokers.find((one) => one.id === id)
  if (!broker) throw new Error(`There is no broker ${id}`)
  return broker
}

const isWhole = ({ cluster }: FaultRun) =>
  until(() => cluster.kafka.isWhole(), { timeoutMs: PATIENCE_MS, everyMs: 200, what: 'all of Kafka serves' })

/** The brokers that a lane depends on most, one after the other: whoever has the part, at the time, dies. */
async function brokersKilled(run: FaultRun): Promise<void> {
  const { names, random } = run
  const parts = {
    'the leader of a status partition': () => admin(run, (it) => leaderOf(it, names.STATUS_TOPIC, 0)),
    'the coordinator of its transactions': () =>
      admin(run, (it) => coordinatorOf(it, 'transactions', `${names.STATUS_TOPIC}:0`)),
    'the coordinator of a group': () =>
      admin(run, (it) => coordinatorOf(it, 'groups', `${names.KAFKA_GROUP_ID}-${random.pick(['ingest', 'status'])}`)),
  }
  await underLoad(run, async () => {
    const all = Object.entries(parts)
    const first = random.int(0, all.length - 1)
    for (const [part, find] of [...all, ...all].slice(first, first + 2)) {
      const id = await find()
      const broker = brokerOf(run, id)
      run.say(`killing broker ${id}, ${part}`)
      await broker.kill()
      await until(async () => (await find()) !== id, { timeoutMs: PATIENCE_MS, what: `another is ${part}` })
      await delay(random.int(0, 2_000))
      await broker.start()
      await isWhole(run)
      run.count('brokers killed')
    }
  })
}

/** Rolling restarts of brokers and of the program that meet: each processor ends in good order, whatever Kafka does just then. */
async function stopsBetween(run: FaultRun): Promise<void> {
  const { cluster, fleet, random } = run
  const replace = async () => {
    await delay(random.int(0, 3_000))
    await fleet.end(0, 'stop')
    const next = fleet.launch()
    await until(async () => next.url !== '', { timeoutMs: PATIENCE_MS, what: 'it listens for signals' })
    run.count('stopped')
  }
  await underLoad(run, async () => {
    for (let times = 3; times > 0; times--) {
      const broker = random.pick([...cluster.kafka.brokers])
      run.say(`killing broker ${broker.id}`)
      await broker.kill()
      await replace()
      await broker.start()
      await replace()
      await isWhole(run)
      await replace()
    }
  })
}

/**
 * A broker loses the controller, and perhaps the other brokers, but not its clients: it thinks that it leads what others
 * lead by now, and says so. A processor that asks it first must not believe how far it thinks that a log goes. It is of
 * another group, so it reads everything again: what it does not find in the log, it would publish a second time.
 */
async function cutOff(run: FaultRun): Promise<void> {
  const { names, random, fleet } = run
  await underLoad(run, async () => {
    const id = await admin(run, (it) => leaderOf(it, names.STATUS_TOPIC, 0))
    const broker = brokerOf(run, id)
    const others = run.cluster.kafka.brokers.filter((one) => one !== broker).map(({ clients }) => clients.address)
    await fleet.end(0, 'kill9')
    await broker.controller.cut()
    if (random.chance(0.5)) await broker.peers.cut()
    const hasMoved = () => withAdmin(others.join(','), async (it) => (await leaderOf(it, names.STATUS_TOPIC, 0)) !== id)
    await until(hasMoved, { timeoutMs: PATIENCE_MS, what: 'another broker leads' })
    const informed = fleet.launch({ KAFKA_BROKERS: others.join(',') })
    await publishes(informed, UPDATES_PAST_A_BROKER)
    await fleet.end(informed, 'kill9')
    const misled = fleet.launch({
      KAFKA_BROKERS: [broker.clients.address, ...others].join(','),
      KAFKA_GROUP_ID: `${names.KAFKA_GROUP_ID}-other`,
      STATE_DIR: '', // nothing but the log tells it
    })
    await delay(random.int(8_000, 12_000))
    await Promise.all([broker.controller.heal(), broker.peers.heal()])
    await isWhole(run)
    await fleet.end(misled, 'kill9')
    run.count('brokers cut off')
  })
}

const UPDATES_PAST_A_BROKER = 50

async function publishes(processor: Processor, updates: number): Promise<void> {
  const published = async () => total(await processor.metrics(), 'pm_status_updates_total')
  await until(async () => (await published()) >= updates, { timeoutMs: PATIENCE_MS, what: 'updates are published' })
}

type Way = [what: string, spoil: (link: Link) => Promise<void>]

/** What a broker says is lost, or late, or cut off in the middle, and then the connections with it. */
async function badLinks(run: FaultRun): Promise<void> {
  const { names, random } = run
  const direction = random.pick(['upstream', 'downstream'] as const)
  const ways: [Way, ...Way[]] = [
    ['hangs', (link) => link.hang('downstream')],
    ['breaks off', (link) => link.closeAfter(random.int(1, 3_000), 'downstream')],
    ['is slow', (link) => link.slow(random.int(200, 1_500), 100, direction)],
    ['is narrow', (link) => link.throttle(random.int(20, 200), direction)],
  ]
  await underLoad(run, async () => {
    for (let times = 5; times > 0; times--) {
      const id = await admin(run, (it) => coordinatorOf(it, 'transactions', `${names.STATUS_TOPIC}:0`))
      const { clients } = random.chance(0.7) ? brokerOf(run, id) : random.pick([...run.cluster.kafka.brokers])
      const [what, spoil] = random.pick(ways)
      run.say(`${clients.name} ${what}`)
      await spoil(clients)
      await delay(random.int(500, 3_000))
      if (random.chance(0.7)) await clients.cut()
      await clients.heal()
      await delay(random.int(200, 1_500))
      run.count('bad links')
    }
  })
}

/** The one answer that tells whether a transaction has committed; and the one request. */
async function commitLost(run: FaultRun): Promise<void> {
  const { fleet, random } = run
  await run.send(RECORDS)
  for (const point of ['after the transaction', 'before the transaction ends'] as const) {
    const lost = atPoint(point, 'lose', random.int(1, 5))
    const processor = await fleet.start({ ...lost, CHUNK_RECORDS: '20' })
    const notices = async () => /EndTxn|lane did not open|"msg":"[^"]*closed/.test(processor.log())
    await until(notices, { timeoutMs: PATIENCE_MS, what: `a processor misses an answer ${point}` }).catch((error) => {
      throw new Error(`${error.message}\n${processor.log()}`)
    })
    run.count('commits without an answer')
    if (random.chance(0.5)) await fleet.end(processor, 'kill9')
    else await fleet.end(processor, 'stop')
    await run.send(RECORDS / 4)
  }
}

export const scenarios: Scenario[] = [
  { name: 'the brokers that a lane needs are killed and come back', play: brokersKilled },
  { name: 'processors stop while brokers come and go', play: stopsBetween },
  { name: 'a broker is cut off from its cluster, but not from clients', play: cutOff },
  { name: 'the links to brokers hang, break off, are slow or narrow', play: badLinks },
  // A lost answer is noticed after the time-out of a request, half a minute.
  { name: 'a commit, or the answer to it, is lost', play: commitLost, long: true },
]
