/** Rows of the primary as the documents that the stream would have made of them. */
import type { CacheDocument } from '../contract/document.ts'
import type { Sealer } from '../documents/encryption.ts'
import { mergeInto } from '../documents/merge.ts'
import type { Cards } from '../normalize/card-data.ts'
import { normalize } from '../normalize/normalize.ts'
import { toDocument } from '../normalize/place.ts'
import type { Clock } from '../normalize/time-zone.ts'
import type { PrimaryRow } from '../primary/primary.ts'

export interface Reader {
  cards: Cards
  seal: Sealer
  /** Of times for which nobody names a zone. */
  clock: Clock | null
  retentionMs: number
  /** Told of a row that is left out, as a record that would be a dead letter. */
  onRejected: (reason: string, message: string) => void
}

/** Stands for the topic of a record in `cache.source`; no topic of Kafka may have this name. */
const PRIMARY = 'primary:pm_parking_event'

/**
 * One document for an id. Its times are the row's own, but none is later than now: a row that was dated ahead would stand above all
 * that the stream will tell.
 */
export function documentsOf(rows: readonly PrimaryRow[], reader: Reader, now: number): CacheDocument[] {
  const documents = new Map<string, CacheDocument>()
  for (const { record, ...times } of rows) {
    const createdAt = Math.min(times.createdAt, now)
    const updatedAt = Math.min(times.updatedAt, now)
    const normalized = normalize('event', null, record, reader.cards, reader.clock)
    if ('reject' in normalized) {
      reader.onRejected(normalized.reject, normalized.message)
      continue
    }
    const source = {
      ...{ topic: PRIMARY, partition: 0, offset: '0', timestamp: updatedAt },
      ...{ key: null, value: null, headers: {} },
    }
    const content = reader.seal(normalized.id, normalized.content)
    const document = toDocument({ ...normalized, content }, source, updatedAt, reader.retentionMs)
    document.createdAt = new Date(createdAt)
    mergeInto(documents, document)
  }
  return [...documents.values()]
}
