/** Heads from the status topic: all of them, or where some are stored, what came after. */
import { createHash } from 'node:crypto'
import type { Kafka, KafkaMessage, Message } from 'kafkajs'
import type { Logger } from 'pino'
import { partitionOf } from '../stream/partitions.ts'
import { readToEnd } from '../stream/read-to-end.ts'
import { SchemaMissingError, type StatusCodec } from './codec.ts'
import type { Head } from './fold.ts'
import type { Heads, Mark } from './heads/heads.ts'

/** A record of the status topic cannot be what this program wrote. Never skipped: a human must decide. */
export class CorruptStatusError extends Error {
  override name = 'CorruptStatusError'
}

/** The record at the mark is not there, or another: the topic was made anew, or has gone on for too long without us. */
class StaleHeadsError extends Error {
  override name = 'StaleHeadsError'
}

export interface RestoreOptions {
  kafka: Kafka
  codec: StatusCodec
  log: Logger
  /** The status topic and its number of partitions. */
  topic: string
  partitions: number
  onProgress: (partition: number, records: number, left: number) => void
}

const SAY_EVERY_MS = 5_000

/**
 * Brings `heads` to the end of their status partition, which is at `atLeast` or later. Where what is stored does not fit to the topic, `again` discards it
 * and gives empty heads, and everything is read. Throws CorruptStatusError, HeadsError, or what Kafka threw.
 */
export async function restore(
  partition: number,
  heads: Heads,
  again: () => Heads,
  atLeast: bigint,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (heads.mark === null && heads.size > 0) throw new StaleHeadsError('it is not known how far they go')
    await readFrom(heads.mark, partition, heads, atLeast, options, signal)
  } catch (error) {
    if (!(error instanceof StaleHeadsError)) throw error
    options.log.warn({ partition, reason: error.message }, 'stored heads are discarded, the status topic has them all')
    await readFrom(null, partition, again(), atLeast, options, signal)
  }
}

async function readFrom(
  mark: Mark | null,
  partition: number,
  heads: Heads,
  atLeast: bigint,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<void> {
  const { kafka, topic, codec } = options
  const tell = progress(partition, options)
  let isChecked = mark === null
  await readToEnd({
    ...{ kafka, topic, partitions: [partition], signal, headers: false },
    atLeast: new Map([[partition, atLeast]]),
    ...(mark && { from: new Map([[partition, mark.offset]]) }),
    onMessages: async (_, messages) => {
      if (!isChecked && mark) check(mark, messages[0] as KafkaMessage)
      isChecked = true
      await codec.prepare(messages)
      const changes = messages.map((message) => changeOf(message, partition, options))
      heads.put(changes, lastMark(messages))
      tell.read(messages.length)
    },
    onProgress: tell.left,
  })
  if (!isChecked) throw new StaleHeadsError(`${topic}/${partition} ends before offset ${mark?.offset}`)
}

function check(mark: Mark, first: KafkaMessage): void {
  if (BigInt(first.offset) !== mark.offset) throw new StaleHeadsError(`there is no record at offset ${mark.offset}`)
  if (markOf(first).digest !== mark.digest) throw new StaleHeadsError(`the record at offset ${mark.offset} is another`)
}

/** The mark of a record of the status topic. */
export function markOf({ key, value, offset, timestamp }: Message & { offset: string; timestamp: string }): Mark {
  const hash = createHash('sha1').update(`${timestamp} `)
  for (const part of [key, value]) {
    hash.update(part == null ? '-' : `${Buffer.byteLength(part)} `)
    if (part != null) hash.update(part)
  }
  return { offset: BigInt(offset), digest: hash.digest('hex').slice(0, 16) }
}

/** Of the last that is no tombstone, which the broker forgets in time; the mark then lags, which is no harm. */
function lastMark(messages: KafkaMessage[]): Mark | null {
  const last = messages.findLast(({ value }) => value !== null)
  return last ? markOf(last) : null
}

/** What one committed record of the status partition says. */
function changeOf(
  { key, value, offset }: KafkaMessage,
  partition: number,
  { topic, partitions, codec }: RestoreOptions,
): [string, Head | null] {
  const at = `${topic}/${partition} offset ${offset}`
  if (!key) throw new CorruptStatusError(`${at} has no key, so this program did not write it. ${rebuild(topic)}`)
  const belongsOn = partitionOf(key, partitions)
  if (belongsOn !== partition) {
    throw new CorruptStatusError(
      `${at} has a key that belongs on partition ${belongsOn}: were partitions added? ${rebuild(topic)}`,
    )
  }
  if (value === null) return [key.toString(), null]
  try {
    return [key.toString(), codec.decodeHead(value)]
  } catch (error) {
    if (error instanceof SchemaMissingError) throw new Error(`${at} cannot be read now: ${error.message}`)
    throw new CorruptStatusError(`${at} cannot be read: ${(error as Error).message}. ${rebuild(topic)}`)
  }
}

function rebuild(topic: string): string {
  return (
    `To rebuild: stop all processors, delete ${topic} with kafka-topics.sh --delete, reset the ingest group to ` +
    'the earliest offsets with kafka-consumer-groups.sh --reset-offsets --to-earliest, and start again'
  )
}

/** Counts, and says now and then how far it is. */
function progress(partition: number, { topic, log, onProgress }: RestoreOptions) {
  const startedAt = Date.now()
  let shownAt = startedAt
  let records = 0
  let told = 0
  return {
    read(count: number) {
      records += count
    },
    left(offsets: bigint) {
      const left = Number(offsets)
      onProgress(partition, records - told, left)
      told = records
      if (Date.now() - shownAt < SAY_EVERY_MS) return
      shownAt = Date.now()
      const perSecond = Math.round((records * 1_000) / (shownAt - startedAt))
      log.info({ topic, partition, records, left, perSecond }, 'restoring heads')
    },
  }
}
