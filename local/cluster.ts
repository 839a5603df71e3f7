import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Controllable } from './controllable.ts'
import { removeAtEnd } from './native/guard.ts'
import { kafkaTools } from './native/kafka.ts'
import { type KafkaCluster, startKafkaCluster } from './native/kafka-cluster.ts'
import { mongodbTools } from './native/mongodb.ts'
import { registryTools, startRegistry } from './native/registry.ts'
import { type ReplicaSet, startReplicaSet } from './native/replica-set.ts'
import { assertPresent } from './native/tools.ts'
import { type Link, startToxiproxy, toxiproxyTools } from './native/toxiproxy.ts'
import type { Progress } from './progress.ts'
import { until } from './until.ts'

/**
 * Services to break: three Kafka brokers (`min.insync.replicas` 2), a MongoDB replica set of three and a schema registry,
 * as processes of this machine. Each can be stopped, killed, frozen and started again by itself, and the traffic to each
 * leads through a link that can be slowed, cut or hung.
 */
export interface Cluster extends AsyncDisposable {
  /** Settings with which the program finds them, through their links. */
  env: { KAFKA_BROKERS: string; MONGODB_URI: string; SCHEMA_REGISTRY_URL: string }
  kafka: Omit<KafkaCluster, 'discard'>
  mongodb: Omit<ReplicaSet, 'discard'>
  registry: Controllable & { link: Link }
  /** Undoes every fault: links, frozen and ended processes. Returns when every replica of every partition is in sync. */
  heal(): Promise<void>
  /** Holds logs and data; gone when the cluster is disposed of. */
  directory: string
}

const HEAL_MS = 120_000

/** Takes ten seconds or so. What it started ends with `Symbol.asyncDispose`, and with this process in any case. */
export async function startCluster(progress: Progress = () => undefined): Promise<Cluster> {
  const tools = await Promise.all([kafkaTools(), mongodbTools(), registryTools(), toxiproxyTools()])
  await assertPresent(tools.flat())
  const directory = await mkdtemp(join(tmpdir(), 'pm-parking-events-'))
  removeAtEnd(directory)
  const discards: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })]
  const dispose = async () => {
    for (const discard of discards.reverse()) await discard()
  }
  try {
    const proxy = await startToxiproxy(directory, progress)
    discards.push(proxy.discard)
    const outcomes = await Promise.allSettled([
      startKafkaCluster(directory, proxy, progress),
      startReplicaSet(directory, proxy, progress),
      startRegistry(directory, progress),
    ])
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') discards.push(outcome.value.discard)
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure) throw failure.reason
    const [kafka, mongodb, registry] = outcomes.map(
      (outcome) => (outcome as PromiseFulfilledResult<unknown>).value,
    ) as [KafkaCluster, ReplicaSet, Awaited<ReturnType<typeof startRegistry>>]
    const { host, pathname } = new URL(registry.address)
    const link = await proxy.link('registry', host)
    const env = {
      KAFKA_BROKERS: kafka.address,
      MONGODB_URI: mongodb.uri,
      SCHEMA_REGISTRY_URL: `http://${link.address}${pathname}`,
    }
    const { stop, kill, start, pause, resume } = registry
    const control = { link, stop, kill, start, pause, resume }
    const heal = () => healAll({ kafka, mongodb, registry: control })
    await heal()
    return { env, kafka, mongodb, registry: control, heal, directory, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function healAll({ kafka, mongodb, registry }: Pick<Cluster, 'kafka' | 'mongodb' | 'registry'>): Promise<void> {
  const links = [
    ...kafka.brokers.flatMap(({ clients, peers, controller }) => [clients, peers, controller]),
    ...mongodb.members.map(({ link }) => link),
    registry.link,
  ]
  await Promise.all(links.map((link) => link.heal()))
  const services: Controllable[] = [...kafka.brokers, ...mongodb.members, registry]
  for (const service of services) await service.resume()
  await Promise.all(services.map((service) => service.start()))
  await mongodb.primary()
  for (const [name, service] of Object.entries({ Kafka: kafka, MongoDB: mongodb })) {
    await until(() => service.isWhole(), { timeoutMs: HEAL_MS, everyMs: 200, what: `all of ${name} serves` })
  }
}
