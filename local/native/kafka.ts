import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OwnService } from '../controllable.ts'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { kafkaAnswers } from '../ready.ts'
import { installed, isInstalled, type Package, run } from './install.ts'
import { fetchArtifacts } from './maven.ts'
import { type Launch, startService } from './process.ts'
import { JAVA, MAVEN, type Tool } from './tools.ts'

const VERSION = '4.1.1'
const CLUSTER_ID = 'pmParkingEventsLocal00'

const PACKAGE: Package = {
  directory: `kafka-${VERSION}`,
  what: `Downloading Apache Kafka ${VERSION} from Maven Central`,
  fill: async (directory) => {
    await fetchArtifacts(directory, [
      { group: 'org.apache.kafka', artifact: 'kafka_2.13', version: VERSION },
      // ConsoleConsumer and its kin; Kafka Connect would double the download.
      {
        group: 'org.apache.kafka',
        artifact: 'kafka-tools',
        version: VERSION,
        exclusions: ['org.apache.kafka:connect-runtime', 'org.apache.kafka:connect-json'],
      },
      { group: 'org.slf4j', artifact: 'slf4j-simple', version: '1.7.36' },
    ])
    await format(directory)
  },
}

export const kafkaTools = async (): Promise<Tool[]> => ((await isInstalled(PACKAGE.directory)) ? [JAVA] : [JAVA, MAVEN])

/** Java class path of the broker and of Kafka's own tools, `org.apache.kafka.tools.consumer.ConsoleConsumer` among them. */
export async function kafkaClasspath(progress: Progress = () => undefined): Promise<string> {
  return join(await installed(PACKAGE, progress), 'lib', '*')
}

/** Where Kafka is installed: `lib`, and `formatted`, the empty data directory of node 1. */
export const kafkaHome = (progress: Progress): Promise<string> => installed(PACKAGE, progress)

/** One broker in KRaft mode on loopback, its data under `directory`. */
export async function startKafka(directory: string, progress: Progress): Promise<OwnService> {
  const home = await installed(PACKAGE, progress)
  const [port, controllerPort] = (await freePorts(2)) as [number, number]
  const data = join(directory, 'kafka')
  await cp(join(home, 'formatted'), data, { recursive: true })
  const properties = join(directory, 'kafka.properties')
  await writeFile(properties, propertiesOf({ port, controllerPort, data }))
  const address = `127.0.0.1:${port}`
  const launch: Launch = {
    name: 'Kafka',
    command: 'java',
    args: [
      '-Xms256m',
      '-Xmx1g',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      join(home, 'lib', '*'),
      'kafka.Kafka',
      properties,
    ],
    cwd: directory,
    log: join(directory, 'kafka.log'),
    address,
    answers: () => kafkaAnswers(address),
  }
  return step(progress, `Starting ${launch.name}`, () => startService(launch))
}

/** Formats an empty data directory once; every run starts from a copy of it and so saves a Java start. */
async function format(home: string): Promise<void> {
  const data = join(home, 'formatted')
  await mkdir(data)
  const properties = join(home, 'format.properties')
  await writeFile(properties, propertiesOf({ port: 9092, controllerPort: 9093, data }))
  const classpath = join(home, 'lib', '*')
  await run('java', ['-cp', classpath, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties])
  await rm(properties)
}

/** Of a broker for one machine: no waiting for a quorum, few internal partitions, and no topic that nobody asked for. */
export const FOR_ONE_MACHINE = `\
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=33554432`

/** It does not wait for its own killed predecessor either. */
const propertiesOf = ({ port, controllerPort, data }: { port: number; controllerPort: number; data: string }) => `\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${data}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
${FOR_ONE_MACHINE}
num.network.threads=2
num.io.threads=4
`
