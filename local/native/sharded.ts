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
  return step(progress, 'Starting two shards of MongoDB', async () => {
    try {
      await Promise.all(sets.map((set, i) => launchSet(set, { mongod, directory, port: ports[i] as number, launch })))
      for (const address of routers) {
        const [configuration] = sets
        const args = [
          '--configdb',
          `${CONFIGURATION}/${configuration?.host}`,
          '--port',
          address.split(':')[1] as string,
        ]
        await launch({
          ...{ name: `router ${address}`, command: 'mongos', address },
          args: [...args, '--bind_ip', '127.0.0.1', '--nounixsocket'],
          // It listens before there is a configuration, and answers when there is.
          answers: async () => true,
        })
      }
      return { sets, routers, discard }
    } catch (error) {
      await discard()
      throw error
    }
  })
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
