import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { decodeFetch, type Fetched } from './fetch-answer.ts'
import { type Broker, type Cluster, errorOf, type Protocol, shareCluster } from './kafkajs-cluster.ts'

const fetchRequests = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/index.js')

const FETCH = 1
const READ_COMMITTED = 1
/** How long a broker may wait for records that are not there yet. */
const MAX_WAIT_MS = 250

/** Asks the leaders of one topic's partitions, once: every method rejects with what kafkajs or the broker said. */
export interface Fetcher {
  partitions(): Promise<number[]>
  /** First offset, and the last stable one: everything below it is decided. */
  range(partition: number): Promise<{ low: bigint; high: bigint }>
  /** Null where the broker throttles and sends nothing. */
  fetch(partition: number, offset: bigint, maxBytes: number): Promise<Fetched | null>
  /** Learns anew who leads what. */
  refresh(): Promise<void>
  /** Resolves once no connection is left that nobody else uses. */
  close(): Promise<void>
}

export function createFetcher(kafka: Kafka, topic: string): Fetcher {
  const { cluster, release } = shareCluster(kafka)
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
    async fetch(partition, offset, maxBytes) {
      await ready()
      const broker = await leaderOf(cluster, topic, partition)
      const protocol = broker.lookupRequest(
        FETCH,
        fetchRequests,
      )({
        isolationLevel: READ_COMMITTED,
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
      })
      return (await send(broker, readBy(protocol))).partition
    },
    refresh: () => cluster.refreshMetadata(),
    close: release,
  }
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
function readBy({ request, requestTimeout }: Protocol<unknown>): Protocol<ReturnType<typeof decodeFetch>> {
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
