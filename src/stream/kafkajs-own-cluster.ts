/**
 * A cluster of kafkajs 2.2.4 for one user alone, who waits out failures himself and may want to end at any moment. Four
 * things in it are in the way of that: it closes only when every request has its answer, which a broker that froze never
 * gives; it tries again by itself for many seconds; it keeps a connection without an answer, and where that was to the
 * first request, all later ones fail for ever; and a single partition without a leader hides all the others.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Kafka } from 'kafkajs'
import { type Cluster, createCluster, type OpenCluster, type Protocol } from './kafkajs-cluster.ts'

const createRetry = createRequire(import.meta.url)('kafkajs/src/retry/index.js')

interface Connection {
  socket?: Socket
  connectionStatus: string
  authHandlers: { onError(): void } | null
  requestQueue: { requestTimeout: number; destroy(): void }
  isConnected(): boolean
  rejectRequests(error: Error): void
}

interface ConnectionPool {
  pool: Connection[]
  isConnected(): boolean
  getConnection(index?: number): Promise<Connection>
  send(protocol: Protocol<unknown>): Promise<unknown>
  destroy(): Promise<void>
}

interface Inner {
  connectionPoolBuilder: { build(at?: object): Promise<ConnectionPool> }
  brokerPool: { retrier: unknown }
}

/** How long an answer may take. kafkajs's 30 s are for requests that wait for others, as those of a group do. */
const REQUEST_TIMEOUT_MS = 10_000

/** Not shared. `release` breaks off whatever is on the way, and leaves neither a socket nor a timer behind. */
export function openOwnCluster(kafka: Kafka): OpenCluster {
  const cluster = createCluster(kafka) as Cluster & Inner
  const open = new Set<ConnectionPool>()
  const closed = new AbortController()
  const { connectionPoolBuilder } = cluster
  const build = connectionPoolBuilder.build
  connectionPoolBuilder.build = async (at) => adapt(await build(at), open, closed.signal)
  cluster.brokerPool.retrier = createRetry({ retries: 0 })
  const release = async () => {
    closed.abort(new Error('the connection to Kafka was closed'))
    for (const pool of open) breakOff(pool, closed.signal.reason)
  }
  return { cluster, release }
}

/** `open` holds those pools that may have connections: kafkajs makes a new pool at each failure, and drops the old one. */
function adapt(pool: ConnectionPool, open: Set<ConnectionPool>, closed: AbortSignal): ConnectionPool {
  const { getConnection, send, destroy } = pool
  for (const { requestQueue } of pool.pool) requestQueue.requestTimeout = REQUEST_TIMEOUT_MS
  return Object.assign(pool, {
    async getConnection(index?: number) {
      closed.throwIfAborted()
      open.add(pool)
      return getConnection.call(pool, index)
    },
    async send(protocol: Protocol<unknown>) {
      try {
        return await send.call(pool, withoutLeaderErrors(protocol))
      } catch (error) {
        if ((error as Error).name === 'KafkaJSRequestTimeoutError') breakOff(pool, error as Error)
        throw error
      }
    },
    async destroy() {
      await destroy.call(pool)
      if (!pool.isConnected()) open.delete(pool)
    },
  })
}

function breakOff({ pool }: ConnectionPool, reason: Error): void {
  for (const connection of pool) {
    connection.authHandlers?.onError()
    connection.rejectRequests(reason)
    connection.requestQueue.destroy()
    // Without an error, who waits for the connection to open would not be told.
    connection.socket?.destroy(connection.isConnected() ? undefined : reason)
    connection.connectionStatus = 'disconnected'
  }
}

const METADATA = 3

interface Metadata {
  topicMetadata: { partitionMetadata: { partitionErrorCode: number }[] }[]
}

/** kafkajs throws where any partition has an error: that of one without a leader, which is then -1. */
function withoutLeaderErrors(protocol: Protocol<unknown>): Protocol<unknown> {
  if (protocol.request.apiKey !== METADATA) return protocol
  const { decode, parse } = protocol.response
  const parseAll = (answer: unknown) => {
    for (const { partitionMetadata } of (answer as Metadata).topicMetadata) {
      for (const partition of partitionMetadata) partition.partitionErrorCode = 0
    }
    return parse(answer)
  }
  return { ...protocol, response: { decode, parse: parseAll } }
}
