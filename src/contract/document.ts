import type { Json } from './record.ts'

/** What an observation is about. Each kind of a session has a head of its own. */
export type Kind = 'error' | 'payment' | 'session' | 'status'

/** The fields that applications read. Absent stays absent, null stays null. */
export interface CacheContent {
  card?: string | null
  http_status?: number | string | null
  response?: Json
  payload?: Json
  user_id?: Json
}

/** The newest success, readable while a newer error holds the document. */
export interface LastSuccess extends CacheContent {
  observedAt: Date
  order: string
}

/**
 * A document of `dataset.pm_parking_events`. Documents form a semilattice: `documents/merge.ts` joins two of one `_id`
 * in any order, split or repetition to the same result.
 */
export interface CacheDocument extends CacheContent {
  _id: string
  /** Earliest Kafka timestamp seen for this id. */
  createdAt: Date
  /** Latest Kafka timestamp seen for this id. */
  updatedAt: Date
  /** Everything of ours. Applications need not read it. */
  cache: {
    /** `tombstone`: invalidated by a null value; nothing older than it may come back. */
    kind: Kind | 'tombstone'
    status: string | null
    sessionId: string | null
    observedAt: Date
    /** Sorts as the order key does (observed time, status word, source position): `contract/order.ts`. */
    order: string
    source: { topic: string; partition: number; offset: number }
    /** MongoDB's TTL index deletes the document some time after this. */
    expiresAt: Date
    lastSuccess?: LastSuccess
    /** Order of the newest tombstone seen, kept after a newer record took the document over. */
    erased?: string
  }
}
