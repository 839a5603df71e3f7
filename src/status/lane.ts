/**
 * The lane: the only writer of one partition of the status topic, and the reason why updates are exactly once.
 *
 * The status topic is the state. A status update exists exactly when it is committed there, and the heads that decide
 * what is new are only ever rebuilt from there. A lane lives through these steps, each of which it asserts:
 *
 *   opening    *fence*: a transaction with `transactional.id = <status topic>:<partition>` aborts what the previous owner
 *              had open and shuts it out for good, whatever group or deployment it belongs to. A probe record is sent
 *              and aborted: no read-committed client ever sees it, but it ends the log with a batch that a broker
 *              always delivers, so that "to the end" holds on a compacted topic too.
 *   restoring  read the partition to its end, read committed; the latest update of each key is its head.
 *   running    fold a chunk of observations into the heads and publish its updates in one transaction. Heads move only
 *              once it has committed. The caller then commits the offset of the observations.
 *   closed     after any error at all. There is no way back: the caller opens a new lane.
 *
 *   what happens                          why it holds
 *   crash before the commit               the transaction aborts; the same observations give the same updates again
 *   crash after the commit                the heads are in the topic; the observations are not newer, nothing is published
 *   the commit's answer is lost           the lane closes; the next one learns from the topic which of the two it was
 *   two owners (pause, rebalance)         the older is fenced before the newer reads
 *   offsets rewound, another group        observations are not newer than the heads, nothing is published
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka, KafkaMessage, Producer } from 'kafkajs'
import type { Logger } from 'pino'
import type { Observation } from '../contract/observation.ts'
import { causesOf } from '../stream/errors.ts'
import { partitionOf } from '../stream/partitions.ts'
import { readToEnd } from '../stream/read-to-end.ts'
import { cutBySize, type PartitionMessage } from '../stream/send.ts'
import { SchemaMissingError, type StatusCodec } from './codec.ts'
import { type Folded, foldAll, type Head, headOf } from './fold.ts'

/** Another lane owns the partition now. Rejoin the group and open again only if the partition is assigned again. */
export class FencedError extends Error {
  override name = 'FencedError'
}

/** A record of the status topic cannot be what this program wrote. Never skipped: a human must decide. */
export class CorruptStatusError extends Error {
  override name = 'CorruptStatusError'
}

export type LaneState = 'opening' | 'restoring' | 'running' | 'closed'

export interface LaneOptions {
  kafka: Kafka
  admin: Admin
  codec: StatusCodec
  log: Logger
  /** The status topic and its number of partitions. */
  topic: string
  partitions: number
  /** Prefix for the temporary group of a restore. */
  groupId: string
  retentionMs: number
  onState: (partition: number, state: LaneState) => void
  onRestored: (records: number, seconds: number) => void
}

export class Lane {
  readonly partition: number
  #options: LaneOptions
  #producer: Producer
  #state: LaneState = 'opening'
  #heads = new Map<string, Head>()

  private constructor(partition: number, options: LaneOptions) {
    this.partition = partition
    this.#options = options
    this.#producer = options.kafka.producer({
      transactionalId: `${options.topic}:${partition}`,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    })
    options.onState(partition, 'opening')
  }

  /** Fences, restores, and gives a running lane. Throws FencedError, CorruptStatusError, or what Kafka threw. */
  static async open(partition: number, options: LaneOptions, signal: AbortSignal): Promise<Lane> {
    const lane = new Lane(partition, options)
    try {
      await lane.#fence(signal)
      lane.#enter('restoring')
      await lane.#restore(signal)
      lane.#enter('running')
      return lane
    } catch (error) {
      await lane.close()
      throw asFenced(error, partition)
    }
  }

  get state(): LaneState {
    return this.#state
  }

  /** Keys whose heads it holds. */
  get size(): number {
    return this.#heads.size
  }

  /**
   * Publishes what `observations` (in order) move, in one transaction, and resolves once it has committed. After any
   * error the lane is closed and whether the updates are out is for the next lane to find.
   */
  async publish(observations: readonly Observation[]): Promise<Folded> {
    this.#assert('running')
    const folded = foldAll((key) => this.#heads.get(key), observations, Date.now() - this.#options.retentionMs)
    if (folded.updates.length === 0) return folded
    const { codec } = this.#options
    try {
      await this.#transact(folded.updates.map(({ key, update }) => codec.toMessage(this.partition, key, update)))
    } catch (error) {
      await this.close()
      throw asFenced(error, this.partition)
    }
    for (const [key, head] of folded.heads) this.#heads.set(key, head)
    return folded
  }

  /** Never throws. What was not committed is aborted by the next owner, or by the broker's transaction time-out. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#enter('closed')
    this.#heads = new Map()
    await this.#producer.disconnect().catch(() => {})
  }

  async #transact(messages: PartitionMessage[]): Promise<void> {
    const { topic } = this.#options
    const transaction = await this.#producer.transaction()
    for (const batch of cutBySize(messages)) {
      const acknowledged = await transaction.send({ topic, messages: batch, acks: -1 })
      if (acknowledged.length !== 1) throw new Error(`${topic}/${this.partition} did not acknowledge a send`)
    }
    await transaction.commit()
  }

  async #fence(signal: AbortSignal): Promise<void> {
    const { topic } = this.#options
    await this.#producer.connect()
    signal.throwIfAborted() // who is no longer assigned must not fence the rightful owner
    const transaction = await this.#producer.transaction()
    const { low, high } = await this.#ends()
    if (low === high) return transaction.abort()
    const probe = { key: 'probe', value: null, partition: this.partition }
    const [sent] = await transaction.send({ topic, messages: [probe], acks: -1 })
    await transaction.abort()
    // The marker of the abort is written after the broker has answered.
    if (sent?.baseOffset === undefined) throw new Error(`${topic}/${this.partition} did not acknowledge a send`)
    const marker = BigInt(sent.baseOffset) + 1n
    for (let tries = 1; (await this.#ends()).high <= marker; tries++) {
      if (tries === 100) throw new Error(`the abort of ${topic}/${this.partition} is not in the log after 100 looks`)
      await sleep(Math.min(500, 10 * tries), undefined, { signal })
    }
  }

  /** First offset and last stable offset of the status partition. */
  async #ends(): Promise<{ low: bigint; high: bigint }> {
    const { admin, topic } = this.#options
    const ends = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === this.partition)
    if (!ends) throw new Error(`${topic} has no partition ${this.partition}`)
    return { low: BigInt(ends.low), high: BigInt(ends.high) }
  }

  async #restore(signal: AbortSignal): Promise<void> {
    const { kafka, admin, codec, topic, groupId, onRestored, log } = this.#options
    const startedAt = Date.now()
    let records = 0
    let shownAt = startedAt
    await readToEnd({
      kafka,
      admin,
      topic,
      partitions: [this.partition],
      groupId: `${groupId}-restore-${this.partition}`,
      signal,
      onMessages: async (_, messages) => {
        await codec.prepare(messages)
        for (const message of messages) this.#take(message)
        records += messages.length
      },
      onProgress: (left) => {
        if (Date.now() - shownAt < 5_000) return
        shownAt = Date.now()
        log.info({ topic, partition: this.partition, records, left: Number(left) }, 'restoring heads')
      },
    })
    onRestored(records, (Date.now() - startedAt) / 1_000)
  }

  /** One committed record of the status partition into the heads. */
  #take({ key, value, offset }: KafkaMessage): void {
    const { topic, partitions, codec } = this.#options
    const at = `${topic}/${this.partition} offset ${offset}`
    if (!key) throw new CorruptStatusError(`${at} has no key, so this program did not write it. ${rebuild(topic)}`)
    if (partitionOf(key, partitions) !== this.partition) {
      throw new CorruptStatusError(
        `${at} has a key that belongs on partition ${partitionOf(key, partitions)}: were partitions added? ${rebuild(topic)}`,
      )
    }
    if (value === null) {
      this.#heads.delete(key.toString())
      return
    }
    try {
      this.#heads.set(key.toString(), headOf(codec.decode(value)))
    } catch (error) {
      if (error instanceof SchemaMissingError) throw new Error(`${at} cannot be read now: ${error.message}`)
      throw new CorruptStatusError(`${at} cannot be read: ${(error as Error).message}. ${rebuild(topic)}`)
    }
  }

  #enter(state: LaneState): void {
    this.#state = state
    this.#options.onState(this.partition, state)
  }

  #assert(state: LaneState): void {
    if (this.#state !== state) throw new Error(`lane ${this.partition} is ${this.#state}, not ${state}`)
  }
}

function rebuild(topic: string): string {
  return (
    `To rebuild: stop all processors, delete ${topic} with kafka-topics.sh --delete, reset the ingest group to ` +
    'the earliest offsets with kafka-consumer-groups.sh --reset-offsets --to-earliest, and start again'
  )
}

/** Kafka says that a newer producer has the transactional id. */
function asFenced(error: unknown, partition: number): unknown {
  for (const { type, code } of causesOf(error)) {
    if (type === 'INVALID_PRODUCER_EPOCH' || code === PRODUCER_FENCED) {
      return new FencedError(`another owner has fenced lane ${partition}`, { cause: error })
    }
  }
  return error
}

/** kafkajs does not know this code's name. */
const PRODUCER_FENCED = 90
