import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { CONFIGURATION, SHARDS, type ShardedParts } from '../sharded-parts.ts'
import { run } from './install.ts'
import { mongodArguments, mongodCommand } from './mongodb.ts'
import { type Launch, type NativeService, startService } from './process.ts'

export const mongosOnPath = (): Promise<boolean> =>
  run('mongos', ['--version']).then(
    () => true,
    () => false,
  )

/** Two, so that what one router knows and the other does not shows. */
const ROUTERS = 2

/** Servers of the configuration and of two shards, and two routers, on loopback. */
export async function startShardedProcesses(directory: string, progress: Progress): Promise<ShardedParts> {
  const mongod = await mongodCommand(progress)
  const names = [CONFIGURATION, ...SHARDS]
  const ports = await freePorts(names.length + ROUTERS)
  const started: NativeService[] = []
  const discard = async () => {
    await Promise.all(started.map((service) => service.discard()))
  }
  const sets = names.map((name, i) => {
    const host = `127.0.0.1:${ports[i]}`
    return { name, host, uri: `mongodb://${host}/?directConnection=true` }
  })
  const routers = ports.slice(names.length).map((port) => `127.0.0.1:${port}`)
  const launch = async (one: Omit<Launch, 'cwd' | 'log'>) => {
    const log = join(directory, `${one.name.replaceAll(' ', '-')}.log`)
    started.push(await startService({ ...one, cwd: directory, log }))
  }
  const startRouters = async () => {
    for (const address of routers) await launch(routerAt(address, sets[0]?.host ?? ''))
    return routers
  }
  return step(progress, 'Starting two shards of MongoDB', async () => {
    try {
      await Promise.all(sets.map((set, i) => launchSet(set, { mongod, directory, port: ports[i] as number, launch })))
      return { sets, startRouters, discard }
    } catch (error) {
      await discard()
      throw error
    }
  })
}

function routerAt(address: string, configuration: string): Omit<Launch, 'cwd' | 'log'> {
  const [, port = ''] = address.split(':')
  return {
    ...{ name: `router ${port}`, command: 'mongos', address },
    args: [
      ...['--configdb', `${CONFIGURATION}/${configuration}`, '--port', port],
      ...['--bind_ip', '127.0.0.1', '--nounixsocket'],
    ],
    answers: () => answersPing(`mongodb://${address}/`),
  }
}

interface Launching {
  mongod: string
  directory: string
  port: number
  launch: (one: Omit<Launch, 'cwd' | 'log'>) => Promise<void>
}

async function launchSet({ name, uri }: ShardedParts['sets'][0], { mongod, directory, port, launch }: Launching) {
  const data = join(directory, name)
  await mkdir(data)
  const role = name === CONFIGURATION ? '--configsvr' : '--shardsvr'
  await launch({
    ...{ name, command: mongod, address: uri },
    args: [...mongodArguments({ data, port, oplogMiB: 256, cacheGiB: 0.25, replicaSet: name }), role],
    answers: () => answersPing(uri),
  })
}

async function answersPing(uri: string): Promise<boolean> {
  await using client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000 })
  return (await client.db('admin').command({ ping: 1 })).ok === 1
}
