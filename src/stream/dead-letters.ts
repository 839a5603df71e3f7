/** Dead letters: a record that could not be taken, kept with why and where from. */
import { createHash } from 'node:crypto'
import type { IHeaders, Producer } from 'kafkajs'
import { DEAD_LETTER_HEADERS, isDeadLetterHeader, type Reject } from '../contract/dead-letter.ts'
import type { SourceRecord } from '../contract/record.ts'
import { saysKafka } from './errors.ts'
import { type PartitionMessage, sendAll } from './send.ts'

/** Takes card numbers out of bytes; null when they cannot be taken out and the bytes must be withheld. */
export type CleanBytes = (value: Buffer) => { value: Buffer | null; altered: boolean }

export interface Cleaning {
  cleanBytes: CleanBytes
  /** Whether a field of this name holds what is dropped wherever it stands: a security code, say. */
  isDropped(name: string): boolean
  /** Whether the value of a record holds card data that can only be seen when it is decoded. */
  hidesCards?(record: SourceRecord): boolean
}

/** What became of a part of the record: `tokenised`, or `withheld`; null where it is as it was. */
type Altered = 'tokenised' | 'withheld' | null

const NAMES = DEAD_LETTER_HEADERS

/** The message of a dead letter, on a partition that follows its source. What an earlier one said of its parts is not kept. */
export function deadLetter(
  record: SourceRecord,
  reject: Reject,
  partitions: number,
  cleaning: Cleaning,
): PartitionMessage {
  const clean = withholding(cleaning.cleanBytes)
  const key = cleanKey(record.key, clean)
  const { headers: original, altered } = cleanHeaders(record.headers, { ...cleaning, cleanBytes: clean })
  const headers: IHeaders = {
    ...original,
    [NAMES.reason]: reject.reject,
    [NAMES.message]: reject.message,
    [NAMES.topic]: record.topic,
    [NAMES.partition]: String(record.partition),
    [NAMES.offset]: record.offset,
    [NAMES.timestamp]: String(record.timestamp),
    ...(key.altered && { [NAMES.key]: key.altered }),
    ...(altered && { [NAMES.headers]: altered }),
  }
  const message = { partition: record.partition % partitions, key: key.bytes, value: record.value, headers }
  if (record.value === null) return message
  if (cleaning.hidesCards?.(record)) return replaceValue(message, null, record.value)
  const value = clean(record.value)
  return value.altered ? replaceValue(message, value.value, record.value) : message
}

/** What cannot even be looked through is withheld: a dead letter is the end of the road, and must not fail. */
const withholding =
  (clean: CleanBytes): CleanBytes =>
  (bytes) => {
    try {
      return clean(bytes)
    } catch {
      return { value: null, altered: true }
    }
  }

function cleanKey(key: Buffer | null, clean: CleanBytes): { bytes: Buffer | string | null; altered: Altered } {
  if (key === null) return { bytes: null, altered: null }
  const { value, altered } = clean(key)
  if (!altered) return { bytes: key, altered: null }
  return value === null ? { bytes: digestOf(key), altered: 'withheld' } : { bytes: value, altered: 'tokenised' }
}

/** Of an earlier dead letter. */
const FORMER: ReadonlySet<string> = new Set([NAMES.value, NAMES.digest, NAMES.key, NAMES.headers])

function cleanHeaders(
  headers: SourceRecord['headers'],
  { cleanBytes: clean, isDropped }: Cleaning,
): { headers: IHeaders; altered: Altered } {
  const kept: IHeaders = Object.create(null)
  let altered: Altered = null
  const note = (now: Altered) => {
    altered = altered === 'withheld' ? altered : now
  }
  const cleanPart = (part: Buffer | string): Buffer | string | null => {
    const outcome = clean(Buffer.from(part))
    if (!outcome.altered) return part
    note(outcome.value === null ? 'withheld' : 'tokenised')
    return outcome.value
  }
  for (const [name, header] of Object.entries(headers)) {
    if (FORMER.has(name)) continue
    if (isDropped(name)) {
      note('withheld')
      continue
    }
    const cleanName = cleanPart(name)
    if (cleanName === null) continue
    // A header may have no value, which kafkajs gives as null, though its types do not say so.
    const parts = [header].flat()
    const cleaned = parts.map((part) => (part == null ? part : cleanPart(part)))
    const left = cleaned.filter((part, i) => part !== null || parts[i] === null) as (Buffer | string)[]
    if (left.length > 0) kept[String(cleanName)] = Array.isArray(header) ? left : left[0]
  }
  return { headers: kept, altered }
}

/** The digest is of the value as it was first, whatever was done to it before. */
function replaceValue(message: PartitionMessage, value: Buffer | null, original: Buffer): PartitionMessage {
  const tokenised = message.headers?.[NAMES.value] === 'tokenised'
  return {
    ...message,
    value,
    headers: {
      ...message.headers,
      ...(!tokenised && { [NAMES.digest]: digestOf(original) }),
      [NAMES.value]: value === null ? 'withheld' : 'tokenised',
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
  const kept = Object.fromEntries(Object.entries(message.headers ?? {}).filter(([name]) => isDeadLetterHeader(name)))
  const headers = { ...kept, [NAMES.key]: 'withheld', [NAMES.headers]: 'withheld' }
  const { key } = message
  const isDigest = message.headers?.[NAMES.key] === 'withheld'
  return { ...message, key: key == null || isDigest ? (key ?? null) : digestOf(Buffer.from(key)), headers }
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const isTooLarge = (error: unknown) => saysKafka(error, 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE')
