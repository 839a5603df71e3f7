/**
 * The lane: the only writer of one partition of the status topic, and the reason why updates are exactly once.
 *
 * The status topic is the state. A status update exists exactly when it is committed there, and the heads that decide
 * what is new are only ever rebuilt from there. A lane lives through these steps, each of which it asserts:
 *
 *   opening    *fence*: a transaction with `transactional.id = <status topic>:<partition>` aborts what the previous owner
 *              had open and shuts it out for good, whatever group or deployment it belongs to. A probe record is sent
 *              and aborted: no read-committed client ever sees it, but the leader's answer tells how far the log goes
 *              at least, which a broker that was the leader before may not know.
 *   restoring  read the partition to its end, read committed; the latest update of each key is its head. Where heads are
 *              stored on disk, only what came after them is read.
 *   running    fold a chunk of observations into the heads and publish its updates in one transaction. Heads move only
 *              once it has committed. The caller then commits the offset of the observations. Now and then it ends keys
 *              whose retention is over, with a null value, in a transaction of its own between two chunks.
 *   closed     after any error at all. There is no way back: the caller opens a new lane.
 *
 *   what happens                          why it holds
 *   crash before the commit               the transaction aborts; the same observations give the same updates again
 *   crash after the commit                the heads are in the topic; the observations are not newer, nothing is published
 *   the commit's answer is lost           the lane closes; the next one learns from the topic which of the two it was
 *   two owners (pause, rebalance)         the older is fenced before the newer reads
 *   offsets rewound, another group        observations are not newer than the heads, nothing is published
 *   the same, after a key has ended       its observations have expired since, and are ignored
 *   stored heads lost, damaged, stale     they are discarded, and the whole partition is read
 */
import type { Kafka, Producer } from 'kafkajs'
import type { Logger } from 'pino'
import type { Observation } from '../contract/observation.ts'
import type { Source } from '../contract/record.ts'
import type { Traceparent } from '../contract/trace-context.ts'
import type { Tracing } from '../operate/tracing.ts'
import { needing } from '../stream/denied.ts'
import { causesOf } from '../stream/errors.ts'
import { cutBySize, type PartitionMessage } from '../stream/send.ts'
import { tracedSend } from '../stream/trace-messages.ts'
import type { StatusCodec } from './codec.ts'
import { foldAll, type Head } from './fold.ts'
import { type Heads, type Mark, newestOf } from './heads/heads.ts'
import { markOf, restore } from './restore.ts'

/** Another lane owns the partition now. Rejoin the group and open again only if the partition is assigned again. */
export class FencedError extends Error {
  override name = 'FencedError'
}

export type LaneState = 'opening' | 'restoring' | 'running' | 'closed'

export interface LaneOptions {
  kafka: Kafka
  codec: StatusCodec
  log: Logger
  /** The status topic and its number of partitions. */
  topic: string
  partitions: number
  retentionMs: number
  /** Null, or left out: traces are not wanted. */
  tracing?: Tracing | null
  /** The heads of a lane, as far as they are stored. */
  openHeads: (partition: number) => Heads
  /** The newest Kafka timestamp (epoch ms) in the observations partition of a lane; 0 when it is empty. */
  newestSeen: (partition: number, signal: AbortSignal) => Promise<number>
  /** Lets few lanes at a time restore, so that what they fetch takes little memory. */
  restoring: <T>(work: () => Promise<T>) => Promise<T>
  onState: (partition: number, state: LaneState) => void
  /** While a lane restores: records read since the last call, and about how many are left. */
  onProgress: (partition: number, records: number, left: number) => void
  onRestored: (partition: number, seconds: number) => void
}

export type Observations = readonly Observation[] | (() => readonly Observation[])

/** What became of the observations: updates by whether they changed the status, or nothing to say. */
export interface Published {
  changed: number
  confirmed: number
  older: number
  expired: number
}

/** A key ends so long after its newest kind has expired, or as long as the retention where that is shorter. */
const MOST_GRACE_MS = 86_400_000
/** Keys ended in one transaction. */
const MOST_ENDED = 1_000

export class Lane {
  readonly partition: number
  #options: LaneOptions
  #producer: Producer
  #state: LaneState = 'opening'
  #heads: Heads
  /** The newest Kafka timestamp of the observations. */
  #seenAt = 0
  /** What it closed with: whoever comes later learns the same. */
  #failure: unknown
  /** Settles when the last of `publish` and `expire` has: a producer has one transaction at a time. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(partition: number, options: LaneOptions) {
    this.partition = partition
    this.#options = options
    this.#heads = options.openHeads(partition)
    this.#producer = options.kafka.producer({
      transactionalId: `${options.topic}:${partition}`,
      maxInFlightRequests: 1,
      // A transaction that begins while the markers of the last are still being written is refused, for milliseconds.
      retry: { initialRetryTime: 5, maxRetryTime: 2_000, retries: 12 },
      allowAutoTopicCreation: false,
    })
    options.onState(partition, 'opening')
  }

  /** Fences, restores, and gives a running lane. Throws FencedError, CorruptStatusError, HeadsError, or what Kafka threw. */
  static async open(partition: number, options: LaneOptions, signal: AbortSignal): Promise<Lane> {
    return options.restoring(async () => {
      signal.throwIfAborted()
      const lane = new Lane(partition, options)
      try {
        const end = await lane.#fence(signal)
        lane.#enter('restoring')
        await lane.#restore(end, signal)
        lane.#enter('running')
        return lane
      } catch (error) {
        await lane.close()
        throw asFenced(error, partition)
      }
    })
  }

  get state(): LaneState {
    return this.#state
  }

  /** Keys whose heads it holds. */
  get size(): number {
    return this.#heads.size
  }

  /**
   * Publishes what `observations` (in order, the newest of them at `seenAt` in Kafka) move, in one transaction, and resolves
   * once it has committed. A function gives them when their turn has come; nothing of them is kept while they are on their
   * way. After any error the lane is closed and whether the updates are out is for the next lane to find.
   *
   * @param contexts of the traces that led to observations, by their sources: the updates tell of them.
   */
  publish(observations: Observations, seenAt: number, contexts?: ReadonlyMap<Source, Traceparent>): Promise<Published> {
    return this.#inTurn(async () => {
      this.#seenAt = Math.max(this.#seenAt, seenAt)
      const { messages, heads, published } = this.#prepare(observations, contexts)
      if (messages.length === 0) return published
      const place = { topic: this.#options.topic, partition: this.partition }
      const send = () => this.#transact(messages)
      this.#heads.put(heads, await tracedSend(this.#options.tracing ?? null, place, messages.length, send))
      return published
    })
  }

  #prepare(observations: Observations, contexts?: ReadonlyMap<Source, Traceparent>) {
    const all = typeof observations === 'function' ? observations() : observations
    const { codec, retentionMs } = this.#options
    const { updates, heads, older, expired } = foldAll((key) => this.#heads.get(key), all, this.#now() - retentionMs)
    let changed = 0
    for (const { update } of updates) if (update.changed) changed++
    const published: Published = { changed, confirmed: updates.length - changed, older, expired }
    return { messages: codec.toMessages(this.partition, updates, contexts), heads, published }
  }

  /**
   * Looks at the next of `slices` slices of its keys, and ends those that were over some time ago. Resolves with how many.
   * Whatever then comes of them again, by a rewind, has expired and is ignored.
   */
  async expire(slices: number): Promise<number> {
    const { retentionMs } = this.#options
    const before = () => this.#now() - retentionMs - Math.min(MOST_GRACE_MS, retentionMs)
    const due = await this.#inTurn(async () => this.#heads.due(before(), slices))
    let ended = 0
    for (let from = 0; from < due.length; from += MOST_ENDED) {
      ended += await this.#inTurn(() => this.#end(due.slice(from, from + MOST_ENDED), before()))
    }
    return ended
  }

  /** In one transaction; those that have moved meanwhile stay. */
  async #end(keys: string[], before: number): Promise<number> {
    const isOver = (head: Head | undefined) => head !== undefined && newestOf(head) < before
    const ended = keys.filter((key) => isOver(this.#heads.get(key)))
    if (ended.length === 0) return 0
    await this.#transact(ended.map((key) => ({ partition: this.partition, key, value: null })))
    // Without a mark: the record at the mark must be one that the broker keeps.
    this.#heads.put(
      ended.map((key) => [key, null] as const),
      null,
    )
    return ended.length
  }

  /** Never throws. What was not committed is aborted by the next owner, or by the broker's transaction time-out. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#enter('closed')
    this.#heads.close()
    await this.#producer.disconnect().catch(() => {})
  }

  /**
   * The time that expiry is judged by: this machine's, but never later than Kafka's own at the newest observation, so that a
   * machine whose clock runs ahead ends no live session.
   */
  #now(): number {
    return Math.min(Date.now(), this.#seenAt)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure
      this.#assert('running')
      try {
        return await work()
      } catch (error) {
        this.#failure = asFenced(error, this.partition)
        await this.close()
        throw this.#failure
      }
    })
    this.#last = done.catch(() => {})
    return done
  }

  /** Sends and commits. Returns the mark of the last message, or null when the broker did not tell its offset. */
  async #transact(messages: PartitionMessage[]): Promise<Mark | null> {
    const { topic } = this.#options
    const timestamp = String(Date.now())
    for (const message of messages) message.timestamp = timestamp
    let mark: Mark | null = null
    const transaction = await this.#producer.transaction()
    for (const batch of cutBySize(messages)) {
      const [acknowledged, ...others] = await this.#writing(() =>
        transaction.send({ topic, messages: batch, acks: -1 }),
      )
      if (!acknowledged || others.length > 0) throw new Error(`${topic}/${this.partition} did not acknowledge a send`)
      const { baseOffset = '-1', logAppendTime = '-1' } = acknowledged
      const last = batch.at(-1) as PartitionMessage
      const offset = BigInt(baseOffset) + BigInt(batch.length - 1)
      // A topic with LogAppendTime has the broker's time in place of ours.
      const stampedAt = logAppendTime === '-1' ? timestamp : logAppendTime
      mark = baseOffset === '-1' ? null : markOf({ ...last, offset: String(offset), timestamp: stampedAt })
    }
    await transaction.commit()
    return mark
  }

  /** Shuts out who was here before. Returns what the end of the partition has reached at least. */
  async #fence(signal: AbortSignal): Promise<bigint> {
    const { topic } = this.#options
    await this.#producer.connect()
    signal.throwIfAborted() // who is no longer assigned must not fence the rightful owner
    const id = `${topic}:${this.partition}`
    const transaction = await needing({ operation: 'Write', on: 'transactional-id', names: [id] }, () =>
      this.#producer.transaction(),
    )
    const probe = { key: 'probe', value: null, partition: this.partition }
    const [sent] = await this.#writing(() => transaction.send({ topic, messages: [probe], acks: -1 }))
    await transaction.abort()
    if (sent?.baseOffset === undefined) throw new Error(`${topic}/${this.partition} did not acknowledge a send`)
    // The marker of the abort comes after the probe; it is written after the broker has answered.
    return BigInt(sent.baseOffset) + 2n
  }

  #writing<T>(work: () => Promise<T>): Promise<T> {
    return needing({ operation: 'Write', on: 'topic', names: [this.#options.topic] }, work)
  }

  async #restore(end: bigint, signal: AbortSignal): Promise<void> {
    const { openHeads, onRestored, newestSeen } = this.#options
    const startedAt = Date.now()
    const again = () => {
      this.#heads.discard()
      this.#heads = openHeads(this.partition)
      return this.#heads
    }
    this.#seenAt = await newestSeen(this.partition, signal)
    // Nothing goes on beside it that could fail first: a restore that is no longer wanted would fill the heads of another.
    await restore(this.partition, this.#heads, again, end, this.#options, signal)
    onRestored(this.partition, (Date.now() - startedAt) / 1_000)
  }

  #enter(state: LaneState): void {
    this.#state = state
    this.#options.onState(this.partition, state)
  }

  #assert(state: LaneState): void {
    if (this.#state !== state) throw new Error(`lane ${this.partition} is ${this.#state}, not ${state}`)
  }
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
