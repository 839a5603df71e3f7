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

/**
 * What a record says, in one form whatever the API and the words of its body (`normalize/families/`). Only what was found.
 * With `ENCRYPT_PATHS` it is kept encrypted, as text.
 */
export interface Facts {
  zoneId?: string
  /** That a body names, where the record has none of its own. */
  card?: string
  plate?: string
  startsAt?: Date
  endsAt?: Date
  /** In the unit that the body gives it in. */
  amount?: number
  /** ISO 4217. */
  currency?: string
  /** Of an error's body. */
  errorCode?: string
}

/** The newest success, readable while a newer error holds the document. */
export interface LastSuccess extends CacheContent {
  facts?: Facts | string
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
    facts?: Facts | string
    lastSuccess?: LastSuccess
    /** Order of the newest tombstone seen, kept after a newer record took the document over. */
    erased?: string
  }
}
