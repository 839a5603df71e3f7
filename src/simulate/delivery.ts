import type { Producer } from 'kafkajs'
import type { RecordType } from '../contract/record.ts'
import { partitionOf } from '../stream/partitions.ts'
import { type PartitionMessage, sendAll } from '../stream/send.ts'
import type { TrafficRecord } from './traffic-record.ts'

export interface Target {
  topic: string
  partitions: number
}

export interface Delivery {
  /** Resolves when there is room for more. Rejects when an earlier send failed. */
  add(record: TrafficRecord): Promise<void> | undefined
  /** Sends what is waiting; resolves when all is acknowledged. */
  flush(): Promise<void>
}

const BATCH = 500
const LANES_PER_TOPIC = 4

interface Lane {
  topic: string
  waiting: PartitionMessage[]
  sending: Promise<void>
}

/** Sends records to their partitions. Several sends are under way, but a partition has one at a time, so order is kept. */
export function createDelivery(producer: Producer, targets: Record<RecordType, Target>): Delivery {
  const lanesOf = ({ topic }: Target): Lane[] =>
    Array.from({ length: LANES_PER_TOPIC }, () => ({ topic, waiting: [], sending: Promise.resolve() }))
  const lanes = { event: lanesOf(targets.event), response: lanesOf(targets.response) }

  async function send(lane: Lane): Promise<void> {
    const messages = lane.waiting
    lane.waiting = []
    await lane.sending
    lane.sending = sendAll(producer, lane.topic, messages)
    // Whoever uses the lane next sees the failure; until then it is nobody's.
    lane.sending.catch(() => undefined)
  }

  return {
    add(record) {
      const partition = placeOf(record, targets[record.type].partitions)
      const lane = lanes[record.type][partition % LANES_PER_TOPIC] as Lane
      lane.waiting.push({ partition, key: record.key, value: record.value })
      return lane.waiting.length >= BATCH ? send(lane) : undefined
    },
    async flush() {
      for (const lane of [...lanes.event, ...lanes.response]) {
        if (lane.waiting.length > 0) await send(lane)
        await lane.sending
      }
    },
  }
}

/** By the key as everybody's default partitioner does it, or where the traffic wants it. */
function placeOf({ key, place }: TrafficRecord, partitions: number): number {
  if (place !== null || key === null) return Math.floor((place ?? 0) * partitions)
  return partitionOf(key, partitions)
}
