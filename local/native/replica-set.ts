import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import type { Controllable } from '../controllable.ts'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { until } from '../until.ts'
import { mongodArguments, mongodCommand, REPLICA_SET } from './mongodb.ts'
import { type NativeService, startService } from './process.ts'
import type { Link, Toxiproxy } from './toxiproxy.ts'

export interface ReplicaSetMember extends Controllable {
  /** 0, 1 or 2. */
  readonly id: number
  /** Between it and all who call it: clients and the other members. */
  readonly link: Link
  /** Leads past the link, for a test's own look: `mongodb://127.0.0.1:port/?directConnection=true`. */
  readonly directUri: string
  isRunning(): boolean
  /** Its log, as a file. */
  readonly log: string
}

export interface ReplicaSet {
  readonly members: readonly [ReplicaSetMember, ReplicaSetMember, ReplicaSetMember]
  readonly uri: string
  /** The member that takes writes with a majority behind it; waits until there is one. */
  primary(): Promise<ReplicaSetMember>
  /** Whether every member serves, as primary or as secondary. */
  isWhole(): Promise<boolean>
  discard(): Promise<void>
}

const PRIMARY_MS = 60_000

/** Three members on loopback that know each other, as clients know them, by the addresses of their links. */
export async function startReplicaSet(directory: string, proxy: Toxiproxy, progress: Progress): Promise<ReplicaSet> {
  const mongod = await mongodCommand(progress)
  const started: NativeService[] = []
  const discard = async () => {
    await Promise.all(started.map((service) => service.discard()))
  }
  return step(progress, 'Starting three members of MongoDB', async () => {
    try {
      const members = (await Promise.all(
        [0, 1, 2].map((id) => startMember(id, { mongod, directory, proxy, started })),
      )) as [ReplicaSetMember, ReplicaSetMember, ReplicaSetMember]
      await initiate(members)
      const primary = () => findPrimary(members)
      await primary()
      const uri = `mongodb://${members.map(({ link }) => link.address).join(',')}/?replicaSet=${REPLICA_SET}`
      return { members, uri, primary, isWhole: () => isWhole(members), discard }
    } catch (error) {
      await discard()
      throw error
    }
  })
}

interface Starting {
  mongod: string
  directory: string
  proxy: Toxiproxy
  started: NativeService[]
}

async function startMember(id: number, { mongod, directory, proxy, started }: Starting): Promise<ReplicaSetMember> {
  const [port] = (await freePorts(1)) as [number]
  const link = await proxy.link(`mongodb-${id}`, `127.0.0.1:${port}`)
  const data = join(directory, `mongodb-${id}`)
  const log = join(directory, `mongodb-${id}.log`)
  const directUri = `mongodb://127.0.0.1:${port}/?directConnection=true`
  await mkdir(data)
  const service = await startService({
    name: `member ${id} of MongoDB`,
    command: mongod,
    args: mongodArguments({ data, port, oplogMiB: 256, cacheGiB: 0.25 }),
    cwd: directory,
    log,
    address: directUri,
    answers: () => withAdmin(directUri, async (admin) => (await admin.command({ ping: 1 })).ok === 1),
  })
  started.push(service)
  const { stop, kill, start, pause, resume, isRunning } = service
  return { id, link, directUri, log, stop, kill, start, pause, resume, isRunning }
}

/** With elections a few seconds after a primary is gone, and no waiting for its return. */
async function initiate(members: ReplicaSetMember[]): Promise<void> {
  const config = {
    _id: REPLICA_SET,
    members: members.map(({ id, link }) => ({ _id: id, host: link.address })),
    settings: { electionTimeoutMillis: 3_000, heartbeatIntervalMillis: 500, catchUpTimeoutMillis: 10_000 },
  }
  await withAdmin((members[0] as ReplicaSetMember).directUri, (admin) => admin.command({ replSetInitiate: config }))
}

function findPrimary(members: readonly ReplicaSetMember[]): Promise<ReplicaSetMember> {
  return until(
    async () => {
      const answers = await Promise.allSettled(members.map(({ directUri }) => isPrimary(directUri)))
      return members.find((_, index) => {
        const answer = answers[index]
        return answer?.status === 'fulfilled' && answer.value
      })
    },
    { timeoutMs: PRIMARY_MS, what: 'MongoDB has a primary', everyMs: 200 },
  )
}

async function isWhole(members: readonly ReplicaSetMember[]): Promise<boolean> {
  const states = members.map(({ directUri }) => withAdmin(directUri, (admin) => admin.command({ hello: 1 })))
  return (await Promise.all(states)).every(({ isWritablePrimary, secondary }) => isWritablePrimary || secondary)
}

/** A primary that has lost its majority does not know yet: a write that the majority has confirmed tells. */
const isPrimary = (uri: string): Promise<boolean> =>
  withAdmin(uri, async (admin, client) => {
    if ((await admin.command({ hello: 1 })).isWritablePrimary !== true) return false
    const looks = client.db('local-cluster').collection<{ _id: number }>('looks')
    const writeConcern = { w: 'majority', wtimeoutMS: 2_000 } as const
    await looks.updateOne({ _id: 1 }, { $inc: { looks: 1 } }, { upsert: true, writeConcern })
    return true
  })

async function withAdmin<T>(
  uri: string,
  use: (admin: ReturnType<MongoClient['db']>, client: MongoClient) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000, socketTimeoutMS: 5_000 })
  try {
    return await use(client.db('admin'), client)
  } finally {
    await client.close()
  }
}
