import { cp, mkdir, mkdtemp } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { build, ROOT } from '../local/build.ts'
import { removeAtEnd } from '../local/native/guard.ts'
import type { Progress } from '../local/progress.ts'
import { type Services, startServices } from '../local/services.ts'
import { type Cluster, makeInput, openCluster } from './kafka.ts'
import { type Program, RESPONSES } from './ours.ts'

/** Everything a measurement runs on: services of its own, clients of the bench, and the program. */
export interface Bed extends AsyncDisposable {
  services: Services
  cluster: Cluster
  mongo: MongoClient
  program: Program
  /** Process ids of the broker and of mongod. */
  pids: { broker: number[]; mongod: number[] }
  tell: Progress
  /** A number that no other name of this run has. */
  next(): number
  /** Lets what a run left to do in the background be done, and on disk, before the next is measured. */
  settle(): Promise<void>
}

const PARTITIONS = 12

/** @param checkout whose `dist` is measured; null for this one. */
export async function openBed(tell: Progress, checkout: string | null): Promise<Bed> {
  if (checkout === null) await build(tell)
  const services = await startServices({ fresh: true, registry: true, progress: tell })
  let cluster: Cluster | undefined
  let mongo: MongoClient | undefined
  const dispose = async () => {
    await mongo?.close()
    await cluster?.[Symbol.asyncDispose]()
    await services[Symbol.asyncDispose]()
  }
  try {
    cluster = await openCluster(services.env.KAFKA_BROKERS)
    mongo = await new MongoClient(services.env.MONGODB_URI).connect()
    await giveCache(mongo)
    const pids = { broker: [await pidOf(services.kafka, 'Kafka')], mongod: [await pidOf(services.mongodb, 'MongoDB')] }
    const env = { KAFKA_BROKERS: services.env.KAFKA_BROKERS, MONGODB_URI: services.env.MONGODB_URI }
    const program = { main: await copyOfProgram(checkout ?? ROOT), directory: services.directory, env }
    await makeInput(cluster, RESPONSES, PARTITIONS)
    let last = 0
    const admin = mongo.db('admin')
    const settle = async () => void (await admin.command({ fsync: 1 }))
    const parts = { services, cluster, mongo, program, pids, tell, settle, next: () => ++last }
    return { ...parts, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/**
 * mongod takes half of the memory but 1 GiB when nobody says otherwise; ours was started with less, for tests. And it writes
 * changed pages out from 5 % of its cache on, again and again where ids are random: told to wait for 20 %, it spends much less
 * on both sides, so nobody who looks for speed would leave that out.
 */
const EVICTION =
  'eviction_dirty_target=20,eviction_dirty_trigger=40,eviction_updates_target=20,eviction_updates_trigger=40'

async function giveCache(mongo: MongoClient): Promise<void> {
  const bytes = Math.max(2 ** 28, Math.round(totalmem() / 2 - 2 ** 29))
  const config = `cache_size=${bytes},${EVICTION}`
  await mongo.db('admin').command({ setParameter: 1, wiredTigerEngineRuntimeConfig: config })
}

async function pidOf(service: Services['kafka'], name: string): Promise<number> {
  const pid = await service.pid?.()
  if (!pid) throw new Error(`The process of ${name} cannot be seen from here: run the bench where the services run`)
  return pid
}

/** The program is measured from a copy, so that a build meanwhile does not change it between two rounds. */
async function copyOfProgram(checkout: string): Promise<string> {
  const cache = join(ROOT, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  const copy = await mkdtemp(join(cache, 'bench-'))
  removeAtEnd(copy)
  for (const part of ['dist', 'schemas', 'package.json'])
    await cp(join(checkout, part), join(copy, part), { recursive: true })
  return join(copy, 'dist', 'main.js')
}
