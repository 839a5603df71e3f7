/**
 * Hands over the batches of a fetch, all partitions at once, and commits what is done of them behind the work. What a handler
 * throws does not reach kafkajs: the batch comes again.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs'
import type { Logger } from 'pino'
import { DEAD_LETTER_HEADERS } from '../contract/dead-letter.ts'
import type { SourceRecord } from '../contract/record.ts'
import { type Committer, createCommitter, type NextOffset } from './committer.ts'
import { saysKafka } from './errors.ts'

export const SESSION_TIMEOUT_MS = 6_000
export const HEARTBEAT_MS = 2_000
const PAUSE_WHILE_ENDING_MS = 100

/** One handler's hold on one partition. */
export interface Turn {
  readonly topic: string
  readonly partition: number
  /** Aborts when all partitions must be given up: shutdown, a rebalance, or no heartbeat for a session time-out. */
  readonly signal: AbortSignal
  /** All up to and including `offset` is done: it does not come again, and is committed a little later. */
  done(offset: string): void
  /** Fetches nothing of this partition until `settled` has. The handler then returns, so that others go on meanwhile. */
  pauseUntil(settled: Promise<unknown>): void
}

/** `lastOffset` is the batch's last, transaction markers included. What it throws is logged, and the batch comes again. */
export type OnBatch = (messages: KafkaMessage[], lastOffset: string, turn: Turn) => Promise<void>

/** A Kafka message with where it stands. */
export function sourceRecord({ topic, partition }: Turn, message: KafkaMessage): SourceRecord {
  const { offset, key, value, headers = {} } = message
  return { topic, partition, offset, timestamp: firstWritten(message), key, value, headers }
}

/**
 * When Kafka wrote the record first, epoch milliseconds: a replayed one says so in a header, and so is read as it would have
 * been then. The header can only make it older.
 */
function firstWritten({ timestamp, headers }: KafkaMessage): number {
  const written = Number(timestamp)
  const header = headers?.[DEAD_LETTER_HEADERS.timestamp]
  if (header === undefined) return written
  const text = String(header)
  return /^\d{1,15}$/.test(text) ? Math.min(Number(text), written) : written
}

const after = (offset: string) => (BigInt(offset) + 1n).toString()

export interface Turns {
  /** Commits what is done and not committed yet; resolves also when that fails. */
  flush(): Promise<void>
  /** Drops what is left to commit: it was of another generation of the group. */
  forget(): void
  take(payload: EachBatchPayload): Promise<void>
  /** Aborts the signal of all that go on. */
  end(): void
}

export function createTurns(consumer: Consumer, onBatch: OnBatch, log: Logger): Turns {
  let ending = newEnding()
  let going = 0
  let beats: NodeJS.Timeout | undefined
  /** Commits also while the consumer stops, which the consumer's own way does not. */
  let latest: EachBatchPayload | undefined
  const committer = createCommitter(async (offsets) => {
    const byTopic = new Map<string, NextOffset[]>()
    for (const next of offsets) byTopic.set(next.topic, [...(byTopic.get(next.topic) ?? []), next])
    const topics = Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions }))
    await (latest ? latest.commitOffsetsIfNecessary({ topics }) : consumer.commitOffsets(offsets))
  }, log)

  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
    // Only transaction markers: no handler saw it, so nobody else commits it, and its lag would stay.
    if (batchSize === 0) committer.add({ topic, partition, offset: after(lastOffset) })
  })

  const begin = (payload: EachBatchPayload) => {
    latest = payload
    going++
    beats ??= keepAlive(payload.heartbeat, () => ending.abort())
  }
  const over = async () => {
    if (--going > 0) return
    clearInterval(beats)
    beats = undefined
    if (!ending.signal.aborted) return
    // kafkajs leaves the group, or joins it anew, once the last turn is over.
    await committer.flush()
    if (going === 0 && ending.signal.aborted) ending = newEnding()
  }

  return {
    flush: committer.flush,
    forget() {
      committer.forget()
      latest = undefined
    },
    end: () => ending.abort(),
    async take(payload) {
      begin(payload)
      const { signal } = ending
      try {
        // Others still end: not to be given the same again and again until they have.
        if (signal.aborted) return void (await sleep(PAUSE_WHILE_ENDING_MS))
        await onBatch(payload.batch.messages, payload.batch.lastOffset(), turnOf(payload, signal, committer))
      } catch (error) {
        if (signal.aborted) return
        const { topic, partition } = payload.batch
        log.error({ err: error, topic, partition, offset: payload.batch.firstOffset() }, 'batch failed, it comes again')
        await sleep(1_000, undefined, { signal }).catch(() => {})
      } finally {
        await over()
      }
    },
  }
}

function newEnding(): AbortController {
  const ending = new AbortController()
  setMaxListeners(0, ending.signal) // each partition may wait on it
  return ending
}

function turnOf({ batch, resolveOffset, pause }: EachBatchPayload, signal: AbortSignal, committer: Committer): Turn {
  const { topic, partition } = batch
  return {
    topic,
    partition,
    signal,
    done(offset) {
      resolveOffset(offset)
      committer.add({ topic, partition, offset: after(offset) })
    },
    pauseUntil(settled) {
      const resume = pause()
      settled.then(resume, resume).catch(() => {}) // it may be nobody's any more
    },
  }
}

const MEMBERSHIP_LOST = [
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
]

/** Beats while handlers work or wait; `lost` is called when the membership is gone or cannot be kept. */
function keepAlive(heartbeat: () => Promise<void>, lost: () => void): NodeJS.Timeout {
  let last = Date.now()
  return setInterval(() => {
    if (Date.now() - last > SESSION_TIMEOUT_MS) lost()
    heartbeat().then(
      () => {
        last = Date.now()
      },
      (error) => {
        if (saysKafka(error, ...MEMBERSHIP_LOST)) lost()
      },
    )
  }, HEARTBEAT_MS / 2)
}
