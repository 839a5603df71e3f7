import type { Kind } from './document.ts'
import type { Source } from './record.ts'

/**
 * What one record says about one session, on its way from ingest to the status stage. Observations travel packed: one
 * message of the internal observations topic holds many of one target partition, in record order (`stream/packs.ts`).
 */
export interface Observation {
  /** Key of the status update: the session id as text, else the event id. */
  key: string
  kind: Kind
  /** The status word, lower-case, `-` for `_`. Never empty. */
  status: string
  /** Observed time, epoch milliseconds. */
  at: number
  event_id: string
  session_id: string | null
  /** As stored: a token, a mask or an opaque reference, never a card number. */
  card: string | null
  zone_id: string | null
  event_type: string | null
  http_status: number | string | null
  /** When the session says it ends: ISO 8601, UTC, three fraction digits. */
  ends_at: string | null
  source: Source
}
