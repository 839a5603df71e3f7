import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { installed, type Package } from './install.ts'
import { fetchArtifacts } from './maven.ts'
import { type NativeService, startService } from './process.ts'

export const CONNECT_VERSION = '4.1.1'
export const SINK_VERSION = '2.0.1'

const PACKAGE: Package = {
  directory: `kafka-connect-${CONNECT_VERSION}-mongodb-${SINK_VERSION}`,
  what: `Downloading Kafka Connect ${CONNECT_VERSION} and the MongoDB sink ${SINK_VERSION} (38 MB) from Maven Central`,
  fill: (directory) =>
    fetchArtifacts(directory, [
      { group: 'org.apache.kafka', artifact: 'connect-runtime', version: CONNECT_VERSION },
      { group: 'org.apache.kafka', artifact: 'connect-json', version: CONNECT_VERSION },
      { group: 'org.mongodb.kafka', artifact: 'mongo-kafka-connect', version: SINK_VERSION },
      { group: 'org.slf4j', artifact: 'slf4j-simple', version: '1.7.36' },
    ]),
}

/** Java's settings as `bin/connect-standalone.sh` has them. */
const JVM = [
  ...['-Xms256M', '-Xmx2G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  ...['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent', '-Djava.awt.headless=true'],
]

/** A standalone Kafka Connect worker with the official MongoDB sink, on loopback; its address is that of its REST API. */
export async function startConnect(
  directory: string,
  brokers: string,
  progress: Progress = () => undefined,
): Promise<NativeService> {
  const home = await installed(PACKAGE, progress)
  const [port] = (await freePorts(1)) as [number]
  const data = join(directory, `connect-${port}`)
  await mkdir(data)
  const properties = join(data, 'worker.properties')
  const address = `http://127.0.0.1:${port}`
  await writeFile(properties, propertiesOf({ brokers, address, data }))
  const main = ['-cp', join(home, 'lib', '*'), 'org.apache.kafka.connect.cli.ConnectStandalone', properties]
  return step(progress, 'Starting Kafka Connect', () =>
    startService({
      name: 'Kafka Connect',
      command: 'java',
      args: [...JVM, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', ...main],
      cwd: data,
      log: join(data, 'connect.log'),
      address,
      answers: async () => (await fetch(`${address}/connectors`, { signal: AbortSignal.timeout(2_000) })).ok,
    }),
  )
}

const propertiesOf = ({ brokers, address, data }: { brokers: string; address: string; data: string }) => `\
bootstrap.servers=${brokers}
listeners=${address}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
offset.storage.file.filename=${join(data, 'offsets')}
`
