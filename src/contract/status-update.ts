import type { Kind } from './document.ts'
import type { Source } from './record.ts'

/** The latest of one kind of a session. */
export interface KindState {
  status: string
  /** ISO 8601, UTC, three fraction digits. */
  occurred_at: string
  event_id: string
}

/** A record of the status topic. All fields are always present, null when unknown. */
export interface StatusUpdate {
  /** UUIDv5 of key, kind, event id, observed time and status: the same move always has the same id. */
  id: string
  event_id: string
  session_id: string | null
  card: string | null
  zone_id: string | null
  kind: Kind
  event_type: string | null
  /** Status of the same kind before this; null at first. */
  previous_status: string | null
  status: string
  /** `status` differs from `previous_status`. An extension does not change it but moves `ends_at`. */
  changed: boolean
  http_status: number | string | null
  /** Observed time, ISO 8601, UTC, three fraction digits. */
  occurred_at: string
  ends_at: string | null
  /** 1, 2, 3 … per key over all kinds, no gap. */
  revision: number
  /** Every kind of the key as it stands after this update. */
  state: Partial<Record<Kind, KindState>>
  source: Source
}

/** CloudEvents 1.0 type of an update, header `ce_type`. */
export const CHANGED_TYPE = 'parking.status.changed'
export const CONFIRMED_TYPE = 'parking.status.confirmed'
