/** Dead letters: a record that could not be taken, kept with why and where from. */
import { createHash } from 'node:crypto'
import type { IHeaders, Producer } from 'kafkajs'
import { DEAD_LETTER_HEADERS, type Reject } from '../contract/dead-letter.ts'
import type { SourceRecord } from '../contract/record.ts'
import { saysKafka } from './errors.ts'
import { type PartitionMessage, sendAll } from './send.ts'

/** Takes card numbers out of bytes; null when they cannot be taken out and the value must be withheld. */
export type CleanBytes = (value: Buffer) => { value: Buffer | null; altered: boolean }

/** The message of a dead letter, on a partition that follows its source. What an earlier one said of its value is not kept. */
export function deadLetter(
  record: SourceRecord,
  reject: Reject,
  partitions: number,
  clean: CleanBytes,
): PartitionMessage {
  const { [DEAD_LETTER_HEADERS.value]: _value, [DEAD_LETTER_HEADERS.digest]: _digest, ...original } = record.headers
  const headers: IHeaders = {
    ...original,
    [DEAD_LETTER_HEADERS.reason]: reject.reject,
    [DEAD_LETTER_HEADERS.message]: reject.message,
    [DEAD_LETTER_HEADERS.topic]: record.topic,
    [DEAD_LETTER_HEADERS.partition]: String(record.partition),
    [DEAD_LETTER_HEADERS.offset]: record.offset,
    [DEAD_LETTER_HEADERS.timestamp]: String(record.timestamp),
  }
  const message = { partition: record.partition % partitions, key: record.key, value: record.value, headers }
  if (record.value === null) return message
  const { value, altered } = clean(record.value)
  return altered ? replaceValue(message, value, record.value) : message
}

/** The digest is of the value as it was first, whatever was done to it before. */
function replaceValue(message: PartitionMessage, value: Buffer | null, original: Buffer): PartitionMessage {
  const tokenised = message.headers?.[DEAD_LETTER_HEADERS.value] === 'tokenised'
  return {
    ...message,
    value,
    headers: {
      ...message.headers,
      ...(!tokenised && { [DEAD_LETTER_HEADERS.digest]: digestOf(original) }),
      [DEAD_LETTER_HEADERS.value]: value === null ? 'withheld' : 'tokenised',
    },
  }
}

/**
 * Sends at least once. A dead letter that its topic refuses as too large goes without its value, and if that is not
 * enough without its key and headers too, each with its digest: what and where it was is always told.
 */
export async function sendDeadLetters(producer: Producer, topic: string, messages: PartitionMessage[]): Promise<void> {
  try {
    await sendAll(producer, topic, messages)
  } catch (error) {
    if (!isTooLarge(error)) throw error
    for (const message of messages) await sendOne(producer, topic, message)
  }
}

async function sendOne(producer: Producer, topic: string, message: PartitionMessage): Promise<void> {
  const smaller = [() => message, () => withoutValue(message), () => withoutKey(withoutValue(message))]
  for (const [tries, make] of smaller.entries()) {
    try {
      return await sendAll(producer, topic, [make()])
    } catch (error) {
      if (!isTooLarge(error) || tries === smaller.length - 1) throw error
    }
  }
}

function withoutValue(message: PartitionMessage): PartitionMessage {
  return Buffer.isBuffer(message.value) ? replaceValue(message, null, message.value) : message
}

function withoutKey(message: PartitionMessage): PartitionMessage {
  const ours = new Set<string>(Object.values(DEAD_LETTER_HEADERS))
  const headers = Object.fromEntries(Object.entries(message.headers ?? {}).filter(([name]) => ours.has(name)))
  return { ...message, key: digestOf(Buffer.from(message.key ?? '')), headers }
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const isTooLarge = (error: unknown) => saysKafka(error, 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE')
