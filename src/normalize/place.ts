import type { CacheDocument } from '../contract/document.ts'
import { isoOf } from '../contract/iso-time.ts'
import type { Observation } from '../contract/observation.ts'
import { orderOf, tombstoneOrder } from '../contract/order.ts'
import type { Source, SourceRecord } from '../contract/record.ts'
import type { Normalized } from './normalize.ts'

/**
 * The observed time of a record, epoch milliseconds: its own time, but no later than the allowed skew after Kafka's, so
 * that a clock in 2099 cannot freeze a document. Without an own time it is the `createdAt` of its document, so that a
 * second copy does not look newer, or else Kafka's time.
 */
export function observedTime(
  own: number | null,
  kafkaTimestamp: number,
  createdAt: number | undefined,
  maxSkewMs: number,
): number {
  return own === null ? (createdAt ?? kafkaTimestamp) : Math.min(own, kafkaTimestamp + maxSkewMs)
}

/** @param at observed time, epoch milliseconds. */
export function toDocument(n: Normalized, record: SourceRecord, at: number, retentionMs: number): CacheDocument {
  const kafkaTime = new Date(record.timestamp)
  return {
    _id: n.id,
    ...n.content,
    createdAt: kafkaTime,
    updatedAt: kafkaTime,
    cache: {
      kind: n.kind,
      status: n.status,
      sessionId: n.sessionId,
      observedAt: new Date(at),
      order: orderOf(at, n.status, record),
      source: storedSource(record),
      expiresAt: new Date(at + retentionMs),
    },
  }
}

/** The document of a null value: invalidated, and everything about the person gone. Its time is Kafka's. */
export function tombstoneDocument(id: string, record: SourceRecord, retentionMs: number): CacheDocument {
  const kafkaTime = new Date(record.timestamp)
  return {
    _id: id,
    http_status: 410,
    createdAt: kafkaTime,
    updatedAt: kafkaTime,
    cache: {
      kind: 'tombstone',
      status: null,
      sessionId: null,
      observedAt: kafkaTime,
      order: tombstoneOrder(record.timestamp, record),
      source: storedSource(record),
      expiresAt: new Date(record.timestamp + retentionMs),
    },
  }
}

/** What the record says about its session; null without a status word. */
export function toObservation(n: Normalized, record: SourceRecord, at: number): Observation | null {
  if (n.status === null) return null
  return {
    key: n.sessionId ?? n.id,
    kind: n.kind,
    status: n.status,
    at,
    event_id: n.id,
    session_id: n.sessionId,
    card: n.card,
    zone_id: n.zoneId,
    event_type: n.eventType,
    http_status: n.content.http_status ?? null,
    ends_at: n.endsAt === null ? null : isoOf(n.endsAt),
    source: { topic: record.topic, partition: record.partition, offset: record.offset },
  }
}

/** Offsets are far below 2^53, so the document has them as a number. */
const storedSource = ({ topic, partition, offset }: Source) => ({ topic, partition, offset: Number(offset) })
