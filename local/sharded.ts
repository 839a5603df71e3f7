import { MongoClient } from 'mongodb'
import { dockerAnswers } from './docker-engine.ts'
import { mongosOnPath, startShardedProcesses } from './native/sharded.ts'
import type { Progress } from './progress.ts'
import { CONFIGURATION, type ShardedParts } from './sharded-parts.ts'
import { until } from './until.ts'

/** A sharded cluster: two shards, and routers before them. */
export interface ShardedCluster extends AsyncDisposable {
  /** As messages name it. */
  what: string
  /** Of its routers. */
  uri: string
}

/** What has to be there for one, as a message says it. */
export const SHARDED_NEEDS = 'MONGODB_SHARDED_URI, or a mongos and a mongod on the PATH, or Docker'

/**
 * The cluster that `MONGODB_SHARDED_URI` names, or one of one's own, of processes or in Docker; null where there is none of
 * SHARDED_NEEDS.
 */
export async function findShardedCluster(directory: string, progress: Progress): Promise<ShardedCluster | null> {
  const given = process.env.MONGODB_SHARDED_URI
  if (given)
    return { what: 'the cluster of MONGODB_SHARDED_URI', uri: given, [Symbol.asyncDispose]: async () => undefined }
  if (await mongosOnPath())
    return together('processes of this machine', await startShardedProcesses(directory, progress))
  if (!(await dockerAnswers())) return null
  const { startShardedContainer } = await import('./docker-sharded.ts')
  return together('a container', await startShardedContainer())
}

/** Makes of parts that answer a cluster. */
async function together(what: string, { sets, startRouters, discard }: ShardedParts): Promise<ShardedCluster> {
  try {
    await Promise.all(sets.map(initiate))
    const uri = `mongodb://${(await startRouters()).join(',')}/`
    await using client = new MongoClient(uri, { serverSelectionTimeoutMS: READY_MS })
    for (const { name, host } of sets.filter(({ name }) => name !== CONFIGURATION)) {
      await client.db('admin').command({ addShard: `${name}/${host}` })
    }
    return { what, uri, [Symbol.asyncDispose]: discard }
  } catch (error) {
    await discard()
    throw error
  }
}

const READY_MS = 120_000

async function initiate({ name, uri, host }: ShardedParts['sets'][0]): Promise<void> {
  await using client = new MongoClient(uri)
  const admin = client.db('admin')
  const config = { _id: name, ...(name === CONFIGURATION && { configsvr: true }), members: [{ _id: 0, host }] }
  await admin.command({ replSetInitiate: config })
  const leads = async () => (await admin.command({ hello: 1 })).isWritablePrimary === true
  await until(leads, { timeoutMs: READY_MS, what: `${name} has a primary` })
}
