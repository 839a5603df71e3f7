/**
 * Observations on their way: many packed into one message of the partition where their lane reads, as JSON.
 *
 *     ["parkmobile.events", 3, row, row, …]   source topic and partition, then a list of values for each observation
 *
 * No names of fields, and nothing twice: that halves the bytes and the time of a pack.
 *
 * While processors of two versions run, each reads the packs of the other. This is form 1, and its rows stay as they are; another
 * form begins with its number, `[2, …`, by which older programs know it. What a pack needs beside it goes into headers.
 */
import type { KafkaMessage } from 'kafkajs'
import type { Kind } from '../contract/document.ts'
import { LAST_MS } from '../contract/iso-time.ts'
import type { Observation } from '../contract/observation.ts'
import type { Source } from '../contract/record.ts'
import type { Traceparent } from '../contract/trace-context.ts'
import { partitionOf } from './partitions.ts'
import type { PartitionMessage } from './send.ts'
import { setContextsOfRows } from './trace-messages.ts'

/** A pack is cut at this size, well below what a broker takes. */
const MAX_PACK_BYTES = 512 * 1024
/** JSON makes of a UTF-16 unit six bytes at most. */
const MOST_BYTES_A_UNIT = 6
/** Numbers and punctuation of a row, at most. */
const ROW_BYTES = 160

/** The session id, or else the event id, is the key. */
type Row = [
  ...[offset: string, at: number, kind: Kind, status: string, event_id: string],
  ...[session_id: string | null, card: string | null, zone_id: string | null, event_type: string | null],
  ...[http_status: number | string | null, ends_at: string | null],
]

type Pack = [topic: string, partition: number, ...rows: Row[]]

interface Open {
  pack: Pack
  since: number | undefined
  /** It takes fewer. */
  bytes: number
  /** Contexts of rows; null where traces are not wanted. */
  contexts: [row: number, context: Traceparent][] | null
}

/**
 * Packs in order of their observations, for a topic of `partitions` partitions.
 * @param contextOf the trace that led to an observation; null where traces are not wanted.
 * @param since the Kafka timestamp (epoch ms) of the first record of a chunk that came from there.
 */
export function pack(
  observations: readonly Observation[],
  partitions: number,
  contextOf: ((observation: Observation) => Traceparent | undefined) | null = null,
  since: ((source: Source) => number) | null = null,
): PartitionMessage[] {
  const messages: PartitionMessage[] = []
  const all = new Map<number, Open>()
  const close = (partition: number, { pack, since, contexts }: Open) => {
    const message: PartitionMessage = { partition, value: Buffer.from(JSON.stringify(pack)) }
    if (since !== undefined) message.headers = { [SINCE]: String(since) }
    if (contexts !== null && contexts.length > 0) setContextsOfRows(message, contexts)
    messages.push(message)
  }
  for (const observation of observations) {
    const partition = partitionOf(observation.key, partitions)
    const bytes = boundOf(observation)
    let open = all.get(partition)
    if (open && (open.bytes + bytes > MAX_PACK_BYTES || !isFrom(open.pack, observation.source))) {
      close(partition, open)
      open = undefined
    }
    if (open === undefined) {
      const { topic, partition: source } = observation.source
      open = { pack: [topic, source], since: since?.(observation.source), bytes: 0, contexts: contextOf && [] }
      all.set(partition, open)
    }
    if (contextOf !== null) noteContext(open, contextOf(observation))
    open.pack.push(rowOf(observation))
    open.bytes += bytes
  }
  for (const [partition, open] of all) close(partition, open)
  return messages
}

/** Of the row that comes next. */
function noteContext({ pack, contexts }: Open, context: Traceparent | undefined): void {
  if (context !== undefined) contexts?.push([pack.length - PACK_START, context])
}

/** Where rows begin. */
const PACK_START = 2

const isFrom = ([topic, partition]: Pack, source: Source) => topic === source.topic && partition === source.partition

function rowOf({
  source,
  at,
  kind,
  status,
  event_id,
  session_id,
  card,
  zone_id,
  event_type,
  ...rest
}: Observation): Row {
  const { http_status, ends_at } = rest
  return [source.offset, at, kind, status, event_id, session_id, card, zone_id, event_type, http_status, ends_at]
}

function boundOf({ status, event_id, session_id, card, zone_id, event_type, http_status }: Observation): number {
  const optional = (session_id?.length ?? 0) + (card?.length ?? 0) + (zone_id?.length ?? 0) + (event_type?.length ?? 0)
  const units = status.length + event_id.length + optional + (typeof http_status === 'string' ? http_status.length : 0)
  return ROW_BYTES + MOST_BYTES_A_UNIT * units
}

/** Header of a pack: the Kafka timestamp of the first record of its chunk and partition, epoch milliseconds. */
const SINCE = 'since'

/** The Kafka timestamp of the first record that a pack tells of, epoch ms; of a pack that does not say so, its own. */
export function sinceOf({ headers, timestamp }: Pick<KafkaMessage, 'headers' | 'timestamp'>): number {
  return Number(headers?.[SINCE]) || Number(timestamp)
}

/** The observations of a pack, or null when the value is not one of ours. */
export function unpack(value: Buffer | null): Observation[] | null {
  if (value === null) return null
  try {
    const parts: unknown = JSON.parse(value.toString())
    if (!Array.isArray(parts)) return null
    const [topic, partition] = parts
    if (typeof topic !== 'string' || !Number.isInteger(partition)) return null
    const observations: Observation[] = []
    for (let i = PACK_START; i < parts.length; i++) {
      if (!isRow(parts[i])) return null
      observations.push(observationOf(topic, partition, parts[i]))
    }
    return observations
  } catch {
    return null
  }
}

const OTHER_FORM = /^\[([2-9]|[1-9]\d),/

/** Whether what `unpack` does not take is a pack of a form that only a later program knows. */
export const isOfLaterForm = (value: Buffer | null): boolean =>
  value !== null && OTHER_FORM.test(value.toString('latin1', 0, 16))

function observationOf(topic: string, partition: number, row: Row): Observation {
  const [offset, at, kind, status, event_id, session_id, card, zone_id, event_type, http_status, ends_at] = row
  const source = { topic, partition, offset }
  const key = session_id ?? event_id
  return { key, kind, status, at, event_id, session_id, card, zone_id, event_type, http_status, ends_at, source }
}

const ROW_LENGTH = 11

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== ROW_LENGTH) return false
  const [offset, at, kind, status, event_id, session_id, card, zone_id, event_type, http_status, ends_at] = row
  const areTexts = typeof offset === 'string' && typeof status === 'string' && typeof event_id === 'string'
  const mayBeTexts = isTextOrNull(session_id) && isTextOrNull(card) && isTextOrNull(zone_id) && isTextOrNull(event_type)
  const isStatus = isTextOrNull(http_status) || typeof http_status === 'number'
  return areTexts && mayBeTexts && isStatus && isTextOrNull(ends_at) && isKind(kind) && isTime(at)
}

const isTextOrNull = (value: unknown) => value === null || typeof value === 'string'

const isKind = (kind: unknown) => kind === 'session' || kind === 'payment' || kind === 'status' || kind === 'error'

const isTime = (at: unknown) => Number.isInteger(at) && Math.abs(at as number) <= LAST_MS
