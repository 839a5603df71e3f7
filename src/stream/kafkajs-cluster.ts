/**
 * The part of kafkajs 2.2.4 that knows brokers and leaders, for requests that its consumer cannot make: kafkajs has no
 * `assign`, and its consumer always joins a group. A `Kafka` makes such a cluster, with its TLS, SASL and logger, only
 * under a private symbol.
 */
import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import './kafkajs.ts'

const errors = createRequire(import.meta.url)('kafkajs/src/protocol/error.js')

/** A request of kafkajs, and what reads its answer. */
export interface Protocol<T> {
  request: { apiKey: number; apiVersion: number }
  response: { decode(bytes: Buffer): Promise<T>; parse(answer: T): Promise<T> }
  requestTimeout?: number
}

export interface Broker {
  /** The request in the newest version that broker and kafkajs share. */
  lookupRequest(apiKey: number, requests: unknown): (parameters: object) => Protocol<unknown>
  connectionPool: { send<T>(protocol: Protocol<T>): Promise<T> }
  disconnect(): Promise<void>
}

export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[]
  findBroker(at: { nodeId: number }): Promise<Broker>
  fetchTopicsOffset(
    topics: { topic: string; fromBeginning: boolean; partitions: { partition: number }[] }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>
}

const READ_COMMITTED = 1

interface Shared {
  cluster: Cluster
  users: number
}

const shared = new WeakMap<Kafka, Shared>()

export interface OpenCluster {
  cluster: Cluster
  release: () => Promise<void>
}

/**
 * The cluster that all concurrent users of a `Kafka` share: two connections a broker, whatever their number, and at most
 * two fetches on the way from each. The last one to release it closes it, and waits for that.
 */
export function shareCluster(kafka: Kafka): OpenCluster {
  const entry = shared.get(kafka) ?? { cluster: createCluster(kafka), users: 0 }
  shared.set(kafka, entry)
  entry.users++
  const release = async () => {
    if (--entry.users > 0) return
    shared.delete(kafka)
    await entry.cluster.disconnect().catch(() => {})
  }
  return { cluster: entry.cluster, release }
}

export function createCluster(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  if (!symbol) throw new Error('kafkajs is not 2.2.4 and makes its clusters otherwise: install the pinned version')
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol] as (o: object) => Cluster
  return create({
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    maxInFlightRequests: 2,
    isolationLevel: READ_COMMITTED,
  })
}

/** The error that a broker's code stands for, as kafkajs throws it. */
export function errorOf(code: number): Error & { type: string } {
  return errors.createErrorFromCode(code)
}
