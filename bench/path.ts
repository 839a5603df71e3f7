import { until } from '../local/until.ts'
import { partitionOf } from '../src/stream/partitions.ts'
import { PARTITIONS } from './deployment.ts'
import type { TrafficRecord } from './event.ts'
import { type Cluster, openProducer } from './kafka.ts'

/** A way through Kafka, from one topic to another or to itself, with a clock at both ends. */
export interface Path extends AsyncDisposable {
  /** Sends a record by itself and does not wait. */
  send(record: TrafficRecord): void
  /** Waits until `count` records have come out and gives how many milliseconds each took. */
  taken(count: number): Promise<number[]>
}

/** Whatever comes out of `to` has the `event_id` of what went into `from`. Returns when its reader reads. */
export async function openPath(cluster: Cluster, from: string, to: string): Promise<Path> {
  const sent = new Map<string, number>()
  let taken: number[] = []
  let failure: Error | undefined
  const producer = await openProducer(cluster)
  const consumer = cluster.kafka.consumer({ groupId: `bench-${to}`, maxWaitTimeInMs: 500, readUncommitted: false })
  const joined = new Promise<unknown>((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.connect()
  await consumer.subscribe({ topic: to, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async ({ batch }) => {
      const now = performance.now()
      for (const { value } of batch.messages) {
        const { event_id: id } = JSON.parse(String(value)) as { event_id: string }
        const at = sent.get(id)
        if (at !== undefined) taken.push(now - at)
        sent.delete(id)
      }
    },
  })
  await joined
  return {
    send({ key, value }) {
      sent.set(value.event_id, performance.now())
      const message = { key, value: JSON.stringify(value), partition: partitionOf(key, PARTITIONS) }
      producer.send({ topic: from, messages: [message], acks: -1 }).catch((error: Error) => {
        failure = error
      })
    },
    async taken(count) {
      const areThere = () => {
        if (failure) throw failure
        return taken.length >= count
      }
      await until(areThere, { timeoutMs: 60_000, what: `${count} records have come out of ${to}` })
      const all = taken
      taken = []
      return all
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([consumer.disconnect(), producer.disconnect()])
    },
  }
}
