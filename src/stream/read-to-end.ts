/**
 * Reads partitions of a topic once, from their beginning to the end that they had at the call, read committed.
 *
 * kafkajs has no `assign`, so each reading is a consumer group of its own, deleted afterwards, whose only member assigns
 * itself just the partitions asked for. Batches that hold nothing but transaction markers or aborted records never reach
 * a handler, but their END_BATCH_PROCESS event tells their last offset.
 */
import { randomUUID } from 'node:crypto'
import { type Admin, AssignerProtocol, type Kafka, type KafkaMessage, type PartitionAssigner } from 'kafkajs'

export interface ReadToEndOptions {
  kafka: Kafka
  admin: Admin
  topic: string
  /** All partitions when absent. */
  partitions?: number[]
  /** Start offsets by partition; where absent, the beginning. */
  from?: ReadonlyMap<number, bigint>
  /** Prefix of the temporary group's name. */
  groupId: string
  onMessages: (partition: number, messages: KafkaMessage[]) => void | Promise<void>
  /** Offsets still to read, over all partitions, after each batch. */
  onProgress?: (left: bigint) => void
  signal?: AbortSignal
}

/** A partition that gives nothing for so long was cut off or made anew under the reader. */
const STALL_MS = 60_000

/** The end offsets read to, by partition. Rejects on the first error, when nothing comes any more, or when `signal` aborts. */
export async function readToEnd(options: ReadToEndOptions): Promise<Map<number, bigint>> {
  const { kafka, admin, topic, partitions, from, signal } = options
  const ends = new Map<number, bigint>()
  const position = new Map<number, bigint>()
  for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
    if (partitions && !partitions.includes(partition)) continue
    ends.set(partition, BigInt(high))
    const start = from?.get(partition) ?? 0n
    const first = start > BigInt(low) ? start : BigInt(low)
    if (first < BigInt(high)) position.set(partition, first)
  }
  if (position.size === 0) return ends

  const groupId = `${options.groupId}-${randomUUID()}`
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    heartbeatInterval: 2_000,
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: 4 * 1024 * 1024,
    allowAutoTopicCreation: false,
    partitionAssigners: [onlyMember(topic, [...position.keys()])],
  })
  const done = deferred()
  const abort = () => done.reject(signal?.reason)
  signal?.addEventListener('abort', abort)
  const settle = (partition: number) => {
    if ((position.get(partition) ?? 0n) >= (ends.get(partition) ?? 0n)) position.delete(partition)
    options.onProgress?.([...position].reduce((left, [p, at]) => left + (ends.get(p) as bigint) - at, 0n))
    if (position.size === 0) done.resolve()
  }
  const stalled = setTimeout(() => {
    const [[partition, at] = []] = position
    done.reject(new Error(`${topic}/${partition} gives nothing from offset ${at} on, though it ended later`))
  }, STALL_MS)
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    const at = position.get(partition)
    const next = BigInt(lastOffset) + 1n
    if (at === undefined || next <= at) return // a rejoin begins from the start again
    stalled.refresh()
    position.set(partition, next)
    settle(partition)
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || done.reject(payload.error))
  try {
    if (signal?.aborted) abort()
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: position.size,
      eachBatch: async ({ batch: { partition, messages } }) => {
        const end = ends.get(partition) ?? 0n
        const at = position.get(partition)
        if (at === undefined) return
        const wanted = messages.filter(({ offset }) => BigInt(offset) >= at && BigInt(offset) < end)
        try {
          await options.onMessages(partition, wanted)
        } catch (error) {
          done.reject(error)
          position.clear()
        }
      },
    })
    for (const [partition, offset] of position) {
      if (from?.has(partition)) consumer.seek({ topic, partition, offset: offset.toString() })
    }
    await done.promise
    return ends
  } finally {
    clearTimeout(stalled)
    signal?.removeEventListener('abort', abort)
    await consumer.disconnect().catch(() => {})
    await admin.deleteGroups([groupId]).catch(() => {})
  }
}

function deferred() {
  let resolve: () => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {}) // it may be rejected before anybody awaits it
  return { promise, resolve, reject }
}

/** An assigner that gives the group's only member `partitions` of `topic`. */
function onlyMember(topic: string, partitions: number[]): PartitionAssigner {
  return () => ({
    name: 'pm-only-member',
    version: 0,
    assign: async ({ members }) =>
      members.map(({ memberId }) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment: { [topic]: partitions },
          userData: Buffer.alloc(0),
        }),
      })),
    protocol: ({ topics }) => ({
      name: 'pm-only-member',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
    }),
  })
}
