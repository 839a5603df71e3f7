/** Status updates as Kafka messages, and back. */
import type { KafkaMessage } from 'kafkajs'
import type { DeadLetterReason, Reject } from '../contract/dead-letter.ts'
import type { Json, Source } from '../contract/record.ts'
import { CHANGED_TYPE, CONFIRMED_TYPE, type StatusUpdate } from '../contract/status-update.ts'
import type { Traceparent } from '../contract/trace-context.ts'
import type { Settings } from '../settings.ts'
import { Output } from '../stream/kafkajs-output.ts'
import { registerSchema } from '../stream/register-schema.ts'
import type { PartitionMessage } from '../stream/send.ts'
import { setContext } from '../stream/trace-messages.ts'
import { type Head, headOf, type KeyedUpdate } from './fold.ts'

/** What `decode/` offers: values of either encoding, by their first byte. */
export interface ValueDecoder {
  prepare(values: Iterable<Buffer | null>): Promise<void>
  decode(value: Buffer): { value: Json } | Reject
}

export interface StatusCodec {
  /**
   * In order. Nothing of the updates is kept: the values are parts of one buffer.
   * @param contexts of the traces that led to updates, by their sources.
   */
  toMessages(
    partition: number,
    updates: readonly KeyedUpdate[],
    contexts?: ReadonlyMap<Source, Traceparent>,
  ): PartitionMessage[]
  /** Fetches the schemas that `messages` need. */
  prepare(messages: KafkaMessage[]): Promise<void>
  /** After `prepare`. Throws SchemaMissingError, or an Error that says what does not fit. */
  decodeHead(value: Buffer): Head
}

/** The value may be right, but its schema is not to be had: a setting is missing, or the registry lost it. */
export class SchemaMissingError extends Error {
  override name = 'SchemaMissingError'
}

const MISSING: ReadonlySet<string> = new Set<DeadLetterReason>(['no_registry', 'unknown_schema'])

/** What a rare large transaction leaves behind is given back. */
const LARGEST_KEPT = 1 << 22
const out = new Output(LARGEST_KEPT)

/** Writes to `out`. */
type Encode = (update: StatusUpdate) => void

/** JSON, or Avro with the registered schema when a registry is set. Throws if it is incompatible. */
export async function createStatusCodec(
  registry: Settings['registry'],
  topic: string,
  decoder: ValueDecoder,
): Promise<StatusCodec> {
  const encode: Encode = registry ? await avroEncoder(registry, topic) : encodeJson
  const contentType = registry ? 'application/avro' : 'application/json'
  return {
    toMessages(partition, updates, contexts) {
      const values = out.each(updates, ({ update }) => encode(update))
      const messages: PartitionMessage[] = updates.map(({ key, update }, index) => ({
        partition,
        key,
        value: values[index] as Buffer,
        headers: {
          ce_specversion: '1.0',
          ce_id: update.id,
          ce_source: '/pm-parking-events',
          ce_type: update.changed ? CHANGED_TYPE : CONFIRMED_TYPE,
          ce_time: update.occurred_at,
          'content-type': contentType,
        },
      }))
      if (contexts !== undefined && contexts.size > 0) setContexts(messages, updates, contexts)
      return messages
    },
    prepare: (messages) => decoder.prepare(messages.map(({ value }) => value)),
    decodeHead(value) {
      const ours = headOfOurJson(value)
      if (ours) return ours
      const decoded = decoder.decode(value)
      if ('reject' in decoded)
        throw MISSING.has(decoded.reject) ? new SchemaMissingError(decoded.message) : new Error(decoded.message)
      return asHead(decoded.value)
    },
  }
}

function setContexts(
  messages: PartitionMessage[],
  updates: readonly KeyedUpdate[],
  contexts: ReadonlyMap<Source, Traceparent>,
): void {
  for (const [index, { update }] of updates.entries()) {
    const context = contexts.get(update.source)
    if (context !== undefined) setContext(messages[index] as PartitionMessage, context)
  }
}

/** No string of JSON can hold these: a quote within one has a backslash before it. */
const REVISION = ',"revision":'
const SOURCE = ',"source":{'

/**
 * The head in JSON that this program wrote itself, found by the fields around it: a restore reads millions of them. Null where
 * it is not found, which is for `decoder` to explain.
 */
function headOfOurJson(value: Buffer): Head | null {
  if (value[0] !== OPENING_BRACE) return null
  const text = value.toString()
  const start = text.lastIndexOf(REVISION)
  const end = text.indexOf(SOURCE, start)
  if (start < 0 || end < 0) return null
  try {
    return asHead(JSON.parse(`{${text.slice(start + 1, end)}}`))
  } catch {
    return null
  }
}

const OPENING_BRACE = 0x7b

/** What a head is made of must be there; the rest is for subscribers. */
function asHead(value: Json): Head {
  const update = value as unknown as StatusUpdate
  if (!Number.isSafeInteger(update?.revision)) throw new Error('it has no revision')
  if (typeof update.state !== 'object' || update.state === null) throw new Error('it has no state')
  for (const kind in update.state) {
    const head = update.state[kind as keyof StatusUpdate['state']]
    if (typeof head?.status !== 'string' || typeof head.occurred_at !== 'string' || typeof head.event_id !== 'string') {
      throw new Error(`its state of kind ${kind} is not whole`)
    }
  }
  return headOf(update)
}

const encodeJson: Encode = (update) => out.text(JSON.stringify(update))

async function avroEncoder(settings: NonNullable<Settings['registry']>, topic: string): Promise<Encode> {
  const { write } = await registerSchema(settings, 'status-update', topic)
  return (update) => write(out, isWritable(update) ? update : { ...update, http_status: String(update.http_status) })
}

/** The schema's union takes whole numbers; any other number goes as text. */
function isWritable({ http_status }: StatusUpdate): boolean {
  return typeof http_status !== 'number' || Number.isSafeInteger(http_status)
}
