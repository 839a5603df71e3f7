import { randomBytes } from 'node:crypto'
import { KafkaContainer } from '@testcontainers/kafka'
import { MongoDBContainer } from '@testcontainers/mongodb'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import type { OwnService } from './controllable.ts'
import type { PrimaryService } from './native/mariadb.ts'
import { freePorts } from './ports.ts'
import { PRIMARY_DATABASE, readerUri, seedPrimary } from './primary-seed.ts'
import { kafkaAnswers, mongodbAnswers, mysqlAnswers, registryAnswers } from './ready.ts'
import { until } from './until.ts'

// Kafka 4.1, as natively.
const KAFKA_IMAGE = 'confluentinc/cp-kafka:8.1.0'
export const MONGODB_IMAGE = 'mongo:8.0'
const REGISTRY_IMAGE = 'apicurio/apicurio-registry-mem:2.6.13.Final'
const MARIADB_IMAGE = 'mariadb:11.4'

const READY_MS = 180_000

export async function startKafka(): Promise<OwnService> {
  const [port] = (await freePorts(1)) as [number]
  const container = new KafkaContainer(KAFKA_IMAGE).withKraft().withEnvironment({
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: '5',
  })
  const started = await (await pinned(container, { container: 9093, host: port })).start()
  const address = `${started.getHost()}:${port}`
  return owned('Kafka', started, address, () => kafkaAnswers(address))
}

export async function startMongodb(): Promise<OwnService> {
  const [port] = (await freePorts(1)) as [number]
  const started = await (await pinned(new MongoDBContainer(MONGODB_IMAGE), { container: 27017, host: port })).start()
  const host = `${started.getHost()}:${port}`
  // The replica set knows its member by a name that only means something inside the container.
  const address = `mongodb://${host}/?directConnection=true`
  return owned('MongoDB', started, address, () => mongodbAnswers(host))
}

export async function startRegistry(): Promise<OwnService> {
  const [port] = (await freePorts(1)) as [number]
  const container = new GenericContainer(REGISTRY_IMAGE)
    .withExposedPorts(8080)
    .withEnvironment({ REGISTRY_DATASOURCE_URL: 'jdbc:h2:file:/tmp/registry' })
    .withWaitStrategy(Wait.forHttp('/apis/ccompat/v7/subjects', 8080))
    .withStartupTimeout(READY_MS)
  const started = await (await pinned(container, { container: 8080, host: port })).start()
  const address = `http://${started.getHost()}:${port}/apis/ccompat/v7`
  return owned('the schema registry', started, address, () => registryAnswers(address))
}

export async function startMysql(): Promise<PrimaryService> {
  const [port] = (await freePorts(1)) as [number]
  const password = randomBytes(12).toString('hex')
  const container = new GenericContainer(MARIADB_IMAGE)
    .withExposedPorts(3306)
    .withEnvironment({ MARIADB_ROOT_PASSWORD: password })
    // Its first start makes the data with a server that does not listen.
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(READY_MS)
  const started = await (await pinned(container, { container: 3306, host: port })).start()
  const host = `${started.getHost()}:${port}`
  const root = `mysql://root:${password}@${host}`
  const service = await owned('MySQL', started, readerUri(host), () => mysqlAnswers(root))
  await seedPrimary(root)
  return { ...service, admin: `${root}/${PRIMARY_DATABASE}` }
}

/**
 * Binds ports of the container to fixed ports of the host, so that the address outlives a stop and start, and to
 * loopback alone where the engine is on this machine. Containers that declare their port once more while they start
 * (Kafka's does) must not undo it.
 */
export async function pinned<T extends GenericContainer>(
  container: T,
  ...ports: { container: number; host: number }[]
): Promise<T> {
  const { info } = await getContainerRuntimeClient()
  container.withExposedPorts(...ports)
  if (info.containerRuntime.host === 'localhost') {
    const { hostConfig } = container as unknown as { hostConfig: HostConfig } // there is no public way to say it
    for (const { container: inside, host } of ports) {
      hostConfig.PortBindings[`${inside}/tcp`] = [{ HostIp: '127.0.0.1', HostPort: String(host) }]
    }
  }
  container.withExposedPorts = () => container
  return container
}

interface HostConfig {
  PortBindings: Record<string, { HostIp: string; HostPort: string }[]>
}

async function owned(
  name: string,
  started: StartedTestContainer,
  address: string,
  answers: () => Promise<boolean>,
): Promise<OwnService> {
  const client = await getContainerRuntimeClient()
  const container = client.container.getById(started.getId())
  const state = async () => (await container.inspect()).State
  const resume = async () => {
    if ((await state()).Paused) await container.unpause()
  }
  const ready = () => until(answers, { timeoutMs: READY_MS, what: `${name} answers` })
  await ready()
  return {
    address,
    start: async () => {
      if (!(await state()).Running) await container.start()
      await ready()
    },
    stop: async () => {
      await resume()
      if ((await state()).Running) await container.stop({ t: 20 })
    },
    kill: async () => {
      await resume()
      if ((await state()).Running) await container.kill()
    },
    pause: async () => {
      await container.pause()
    },
    resume,
    pid: async () => (await state()).Pid || null,
    discard: async () => {
      await resume()
      await started.stop({ remove: true, removeVolumes: true, timeout: 0 })
    },
  }
}
