import { randomBytes } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Controllable } from '../controllable.ts'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { withAdmin } from '../quiet-kafka.ts'
import { kafkaAnswers } from '../ready.ts'
import { kafkaHome } from './kafka.ts'
import { type NativeService, startService } from './process.ts'
import type { Link, Toxiproxy } from './toxiproxy.ts'

export interface Broker extends Controllable {
  /** Its `node.id`: 1, 2 or 3. */
  readonly id: number
  /** Between clients and it. */
  readonly clients: Link
  /** Between the other brokers and it: they copy from it, write transaction markers and so on. */
  readonly peers: Link
  /** Between it and the controller. Cut it and its partitions get other leaders after a few seconds. */
  readonly controller: Link
  isRunning(): boolean
  /** Its log, as a file. */
  readonly log: string
}

export interface KafkaCluster {
  readonly brokers: readonly [Broker, Broker, Broker]
  /** Addresses of all, for clients. */
  readonly address: string
  /** Whether all brokers are in service and every replica of every partition is in sync. */
  isWhole(): Promise<boolean>
  discard(): Promise<void>
}

const CONTROLLER_ID = 100
/** Retries of a request of one look: who waits looks again. */
const LOOK_RETRIES = 2
const BROKER_IDS = [1, 2, 3] as const
/** Small and quick to start rather than fast. */
const JVM = ['-Xms96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'

/** Three brokers and one controller on loopback. Every connection to a broker or to the controller leads through a link. */
export async function startKafkaCluster(
  directory: string,
  proxy: Toxiproxy,
  progress: Progress,
): Promise<KafkaCluster> {
  const home = await kafkaHome(progress)
  const started: NativeService[] = []
  const discard = async () => {
    await Promise.all(started.map((service) => service.discard()))
  }
  const launch = async (node: Node): Promise<NativeService> => {
    const service = await startNode(home, directory, node)
    started.push(service)
    return service
  }
  return step(progress, 'Starting three Kafka brokers', async () => {
    try {
      const doors = await startController({ proxy, launch })
      const brokers = await Promise.all(
        BROKER_IDS.map((id, index) => startBroker(id, doors[index] as Link, { directory, proxy, launch })),
      )
      const address = brokers.map(({ clients }) => clients.address).join(',')
      return { brokers: brokers as [Broker, Broker, Broker], address, isWhole: () => isWhole(address), discard }
    } catch (error) {
      await discard()
      throw error
    }
  })
}

interface Node {
  id: number
  properties: string
  address: string
  answers: () => Promise<boolean>
}

const nameOf = (id: number) => (id === CONTROLLER_ID ? 'the Kafka controller' : `Kafka broker ${id}`)
const logOf = (directory: string, id: number) => join(directory, `kafka-${id}.log`)

async function startNode(home: string, directory: string, node: Node): Promise<NativeService> {
  const { id, properties, address, answers } = node
  const data = join(directory, `kafka-${id}`)
  await cp(join(home, 'formatted'), data, { recursive: true })
  await rename(data, id)
  const file = join(directory, `kafka-${id}.properties`)
  await writeFile(file, `${properties}log.dirs=${data}\n${COMMON}`)
  const heap = id === CONTROLLER_ID ? '-Xmx192m' : '-Xmx384m'
  return startService({
    name: nameOf(id),
    command: 'java',
    args: [...JVM, heap, QUIET, '-cp', join(home, 'lib', '*'), 'kafka.Kafka', file],
    cwd: directory,
    log: logOf(directory, id),
    address,
    answers,
  })
}

/** The copied data directory was formatted for node 1. */
async function rename(data: string, id: number): Promise<void> {
  const file = join(data, 'meta.properties')
  const text = await readFile(file, 'utf8')
  const directoryId = randomBytes(16).toString('base64url').replace(/^-/, 'A')
  await writeFile(
    file,
    text.replace(/^node\.id=.*$/m, `node.id=${id}`).replace(/^directory\.id=.*$/m, `directory.id=${directoryId}`),
  )
}

interface Starting {
  directory: string
  proxy: Toxiproxy
  launch: (node: Node) => Promise<NativeService>
}

/**
 * Gives the link of each broker to it. Each leads to a listener of its own, since the controller tells a broker where it is
 * by the listener that the broker came in by: with one for all, a broker would soon go past its link.
 */
async function startController({ proxy, launch }: Pick<Starting, 'proxy' | 'launch'>): Promise<Link[]> {
  const [own, ...ports] = (await freePorts(1 + BROKER_IDS.length)) as [number, ...number[]]
  const address = `127.0.0.1:${own}`
  const doors = await Promise.all(
    BROKER_IDS.map((id, index) => proxy.link(`kafka-${id}-controller`, `127.0.0.1:${ports[index]}`)),
  )
  // It answers nobody who is not a broker; the brokers wait for it.
  const answers = async () => true
  await launch({ id: CONTROLLER_ID, properties: controllerProperties(address, ports, doors), address, answers })
  return doors
}

async function startBroker(id: number, controller: Link, { directory, proxy, launch }: Starting): Promise<Broker> {
  const [port, peerPort] = (await freePorts(2)) as [number, number]
  const address = `127.0.0.1:${port}`
  const [clients, peers] = (await Promise.all([
    proxy.link(`kafka-${id}-clients`, address),
    proxy.link(`kafka-${id}-peers`, `127.0.0.1:${peerPort}`),
  ])) as [Link, Link]
  const properties = brokerProperties({ id, address, peerPort, clients, peers, controller })
  const service = await launch({ id, properties, address, answers: () => kafkaAnswers(address) })
  const { stop, kill, start, pause, resume, isRunning } = service
  return { id, clients, peers, controller, log: logOf(directory, id), stop, kill, start, pause, resume, isRunning }
}

const doorOf = (id: number) => `BROKER_${id}`

function controllerProperties(own: string, ports: number[], doors: Link[]): string {
  const names = ['CONTROLLER', ...BROKER_IDS.map(doorOf)]
  const listeners = (addresses: string[]) => names.map((name, index) => `${name}://${addresses[index]}`).join(',')
  return `\
process.roles=controller
node.id=${CONTROLLER_ID}
controller.quorum.voters=${CONTROLLER_ID}@${own}
controller.listener.names=${names}
listeners=${listeners([own, ...ports.map((port) => `127.0.0.1:${port}`)])}
advertised.listeners=${listeners([own, ...doors.map(({ address }) => address)])}
listener.security.protocol.map=${names.map((name) => `${name}:PLAINTEXT`)}
broker.session.timeout.ms=4000
leader.imbalance.check.interval.seconds=10
`
}

interface Addresses {
  id: number
  address: string
  peerPort: number
  clients: Link
  peers: Link
  controller: Link
}

const brokerProperties = ({ id, address, peerPort, clients, peers, controller }: Addresses) => `\
process.roles=broker
node.id=${id}
controller.quorum.voters=${CONTROLLER_ID}@${controller.address}
controller.listener.names=${doorOf(id)}
listeners=CLIENTS://${address},PEERS://127.0.0.1:${peerPort}
advertised.listeners=CLIENTS://${clients.address},PEERS://${peers.address}
inter.broker.listener.name=PEERS
listener.security.protocol.map=CLIENTS:PLAINTEXT,PEERS:PLAINTEXT,${doorOf(id)}:PLAINTEXT
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=10000
replica.fetch.backoff.ms=200
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=5
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=8388608
log.cleaner.threads=1
num.network.threads=2
num.io.threads=4
`

/** Both roles must agree on these. */
const COMMON = `\
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
`

const isWhole = (address: string): Promise<boolean> =>
  withAdmin(
    address,
    async (admin) => {
      if ((await admin.describeCluster()).brokers.length < BROKER_IDS.length) return false
      const { topics } = await admin.fetchTopicMetadata()
      return topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length))
    },
    LOOK_RETRIES,
  )
