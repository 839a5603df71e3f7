import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Controllable, foreign, type OwnService } from './controllable.ts'
import { dockerAnswers } from './docker-engine.ts'
import { removeAtEnd } from './native/guard.ts'
import { kafkaTools, startKafka } from './native/kafka.ts'
import { mysqlTools, startMysql } from './native/mariadb.ts'
import { mongodbTools, startMongodb } from './native/mongodb.ts'
import { registryTools, startRegistry } from './native/registry.ts'
import { assertPresent, type Tool } from './native/tools.ts'
import { type Progress, step } from './progress.ts'

export type { Controllable } from './controllable.ts'
export { kafkaClasspath } from './native/kafka.ts'

export type How = 'environment' | 'docker' | 'native'

export interface ServicesOptions {
  /** Also a schema registry. */
  registry?: boolean
  /** Also a primary MySQL store. One that is started holds the rows of local/primary-seed.ts. */
  mysql?: boolean
  /** Services of one's own, to stop and pause: whatever the environment names is left alone. */
  fresh?: boolean
  progress?: Progress
}

export interface Services extends AsyncDisposable {
  how: { kafka: How; mongodb: How; registry?: How; mysql?: How }
  /** Settings with which the program finds them. */
  env: { KAFKA_BROKERS: string; MONGODB_URI: string; SCHEMA_REGISTRY_URL?: string; PRIMARY_MYSQL_URI?: string }
  kafka: Controllable
  mongodb: Controllable
  registry?: Controllable
  mysql?: Controllable
  /** Address of a user of the primary store who may make databases and tables; of a foreign one `PRIMARY_MYSQL_ADMIN_URI`. */
  mysqlAdmin?: string
  /** Holds logs and data; gone when the services are disposed of. */
  directory: string
}

type Name = 'kafka' | 'mongodb' | 'registry' | 'mysql'

const KINDS = {
  kafka: { title: 'Kafka', variable: 'KAFKA_BROKERS', native: startKafka, tools: kafkaTools },
  mongodb: { title: 'MongoDB', variable: 'MONGODB_URI', native: startMongodb, tools: mongodbTools },
  registry: {
    title: 'the schema registry',
    variable: 'SCHEMA_REGISTRY_URL',
    native: startRegistry,
    tools: registryTools,
  },
  mysql: { title: 'MySQL', variable: 'PRIMARY_MYSQL_URI', native: startMysql, tools: mysqlTools },
} as const

interface Found {
  how: How
  address: string
  admin?: string | undefined
  control: Controllable
  discard: () => Promise<void>
}

/**
 * Finds each service where it is nearest: in the environment, else in Docker, else as a process of this machine,
 * downloaded into the user's cache when it is not there yet. Returns when all answer. What it started ends with
 * `Symbol.asyncDispose`, and with this process in any case, however that ends. Throws, with nothing left running, when
 * one cannot be had; the message says what to install.
 */
export async function startServices(options: ServicesOptions = {}): Promise<Services> {
  const { registry = false, mysql = false, fresh = false, progress = () => undefined } = options
  const names: Name[] = [
    'kafka',
    'mongodb',
    ...(registry ? ['registry' as const] : []),
    ...(mysql ? ['mysql' as const] : []),
  ]
  const given = (name: Name) => (fresh ? undefined : process.env[KINDS[name].variable] || undefined)
  const wanted = names.filter((name) => given(name) === undefined)
  const docker = wanted.length > 0 && (await dockerAnswers())
  if (!docker) await assertPresent(await toolsOf(wanted))

  const directory = await mkdtemp(join(tmpdir(), 'pm-parking-events-'))
  removeAtEnd(directory)
  const find = async (name: Name): Promise<Found> => {
    const address = given(name)
    if (address === undefined) return start(name, { docker, directory, progress })
    return foreignOne(name, address)
  }
  const outcomes = await Promise.allSettled(names.map(find))
  const found = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value)
  const dispose = async () => {
    await Promise.all(found.map(({ discard }) => discard()))
    await rm(directory, { recursive: true, force: true })
  }
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure) {
    await dispose()
    throw failure.reason
  }
  const byName = new Map(found.map((service, index) => [names[index] as Name, service]))
  return together(byName, directory, dispose)
}

function foreignOne(name: Name, address: string): Found {
  const { title, variable } = KINDS[name]
  const admin = name === 'mysql' ? process.env.PRIMARY_MYSQL_ADMIN_URI || undefined : undefined
  return { how: 'environment', address, admin, control: foreign(title, variable), discard: async () => undefined }
}

async function toolsOf(names: Name[]): Promise<Tool[]> {
  return (await Promise.all(names.map((name) => KINDS[name].tools()))).flat()
}

interface Where {
  docker: boolean
  directory: string
  progress: Progress
}

async function start(name: Name, { docker, directory, progress }: Where): Promise<Found> {
  const { title, native, tools } = KINDS[name]
  if (docker) {
    const outcome = await step(progress, `Starting ${title} in Docker`, () => inDocker(name)).catch(
      (error: Error) => error,
    )
    if (!(outcome instanceof Error)) return ours('docker', outcome)
    progress(`Docker answers but cannot run ${title} (${outcome.message}); trying this machine itself`)
    await assertPresent(await tools())
  }
  return ours('native', await native(directory, progress))
}

/** Testcontainers takes a while to load, so only where there is an engine. */
async function inDocker(name: Name): Promise<Started> {
  const { startKafka, startMongodb, startRegistry, startMysql } = await import('./docker.ts')
  return { kafka: startKafka, mongodb: startMongodb, registry: startRegistry, mysql: startMysql }[name]()
}

type Started = OwnService & { admin?: string }

const ours = (how: How, service: Started): Found => ({
  how,
  address: service.address,
  admin: service.admin,
  control: service,
  discard: service.discard,
})

function together(found: Map<Name, Found>, directory: string, dispose: () => Promise<void>): Services {
  const { kafka, mongodb, registry, mysql } = Object.fromEntries(found) as Record<'kafka' | 'mongodb', Found> &
    Partial<Record<Name, Found>>
  return {
    how: {
      kafka: kafka.how,
      mongodb: mongodb.how,
      ...(registry && { registry: registry.how }),
      ...(mysql && { mysql: mysql.how }),
    },
    env: {
      KAFKA_BROKERS: kafka.address,
      MONGODB_URI: mongodb.address,
      ...(registry && { SCHEMA_REGISTRY_URL: registry.address }),
      ...(mysql && { PRIMARY_MYSQL_URI: mysql.address }),
    },
    kafka: kafka.control,
    mongodb: mongodb.control,
    ...(registry && { registry: registry.control }),
    ...(mysql && { mysql: mysql.control }),
    ...(mysql?.admin !== undefined && { mysqlAdmin: mysql.admin }),
    directory,
    [Symbol.asyncDispose]: dispose,
  }
}
