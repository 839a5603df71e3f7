import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { decodeFetch, type FetchAnswer, type Fetched } from './fetch-answer.ts'
import { type Broker, type Cluster, errorOf, type OpenCluster, type Protocol, shareCluster } from './kafkajs-cluster.ts'

const fetchRequests = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/index.js')

const FETCH = 1
const READ_COMMITTED = 1
/** How long a broker may wait for records that are not there yet. */
const MAX_WAIT_MS = 250

/** From where a partition is wanted, and how much of it. */
export interface Wanted {
  partition: number
  offset: bigint
  maxBytes: number
}

/** Where a partition has no leader at present. */
export const NO_LEADER = -1

/** Asks the leaders of one topic's partitions, once: every method rejects with what kafkajs or the broker said. */
export interface Fetcher {
  partitions(): Promise<number[]>
  /** Asks who leads what: a node by partition, or `NO_LEADER`. */
  leaders(): Promise<Map<number, number>>
  /** First offset, and the last stable one: everything below it is decided. */
  range(partition: number): Promise<{ low: bigint; high: bigint }>
  /** Null where the broker throttles and sends nothing. */
  fetch(partition: number, offset: bigint, maxBytes: number): Promise<Fetched | null>
  /** Of several partitions in one request, at most `maxBytes` together; at once when one of them has records or an error. */
  fetchFrom(node: number, wanted: Wanted[], maxBytes: number): Promise<Map<number, Fetched>>
  /** Learns anew who leads what. */
  refresh(): Promise<void>
  /** Resolves once no connection is left that nobody else uses. */
  close(): Promise<void>
}

/** Over the cluster that all share, or over one of its own. */
export function createFetcher(kafka: Kafka, topic: string, open: OpenCluster = shareCluster(kafka)): Fetcher {
  const { cluster, release } = open
  const ready = async () => {
    await cluster.connect()
    await cluster.addTargetTopic(topic)
  }

  const offsetOf = async (partition: number, fromBeginning: boolean): Promise<bigint> => {
    const [answer] = await cluster.fetchTopicsOffset([{ topic, fromBeginning, partitions: [{ partition }] }])
    const offset = answer?.partitions[0]?.offset
    if (offset === undefined) throw unknown(topic, partition)
    return BigInt(offset)
  }

  return {
    async partitions() {
      await ready()
      return cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
    },
    async range(partition) {
      await ready()
      const high = await offsetOf(partition, false)
      return { low: await offsetOf(partition, true), high }
    },
    async leaders() {
      await ready()
      await cluster.refreshMetadata()
      return new Map(cluster.findTopicPartitionMetadata(topic).map(({ partitionId, leader }) => [partitionId, leader]))
    },
    async fetch(partition, offset, maxBytes) {
      await ready()
      const broker = await leaderOf(cluster, topic, partition)
      const partitions = await fetchOf(broker, topic, [{ partition, offset, maxBytes }], maxBytes)
      return partitions.get(partition) ?? null
    },
    async fetchFrom(node, wanted, maxBytes) {
      return fetchOf(await cluster.findBroker({ nodeId: node }), topic, wanted, maxBytes)
    },
    refresh: () => cluster.refreshMetadata(),
    close: release,
  }
}

async function fetchOf(broker: Broker, topic: string, wanted: Wanted[], maxBytes: number) {
  const partitions = wanted.map((one) => ({ ...one, fetchOffset: String(one.offset) }))
  const protocol = broker.lookupRequest(
    FETCH,
    fetchRequests,
  )({
    isolationLevel: READ_COMMITTED,
    maxWaitTime: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, partitions }],
  })
  const answer = await send(broker, readBy(protocol))
  if (answer.errorCode !== 0) throw errorOf(answer.errorCode)
  return answer.partitions
}

async function leaderOf(cluster: Cluster, topic: string, partition: number): Promise<Broker> {
  const found = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)
  if (!found) throw unknown(topic, partition)
  return cluster.findBroker({ nodeId: found.leader })
}

function unknown(topic: string, partition: number): Error {
  return Object.assign(errorOf(UNKNOWN_TOPIC_OR_PARTITION), { message: `no broker knows ${topic}/${partition}` })
}

const UNKNOWN_TOPIC_OR_PARTITION = 3

/** The same request, with our reader of its answer. */
function readBy({ request, requestTimeout }: Protocol<unknown>): Protocol<FetchAnswer> {
  return {
    request,
    ...(requestTimeout !== undefined && { requestTimeout }),
    response: {
      decode: async (bytes) => decodeFetch(bytes, request.apiVersion),
      parse: async (answer) => answer,
    },
  }
}

/** kafkajs closes a connection only after errors that it makes itself; one that times out may be dead. */
async function send<T>(broker: Broker, protocol: Protocol<T>): Promise<T> {
  try {
    return await broker.connectionPool.send(protocol)
  } catch (error) {
    const { name } = error as Error
    if (name === 'KafkaJSConnectionClosedError' || name === 'KafkaJSRequestTimeoutError') await broker.disconnect()
    throw error
  }
}
