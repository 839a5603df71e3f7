/** What `serve` answers with: the bodies of its HTTP API, as JSON has them. Times are ISO 8601, UTC, three fraction digits. */
import type { DeadLetterReason } from './dead-letter.ts'
import type { Kind } from './document.ts'
import type { KindState } from './status-update.ts'

/** A document as it is stored, decrypted, with what it says in one form for all its dialects beside it. */
export interface EventView {
  _id: string
  /** A token, a mask or an opaque reference; absent for who may not read cards. */
  card?: string | null
  http_status?: number | string | null
  response?: unknown
  payload?: unknown
  user_id?: unknown
  createdAt: string
  updatedAt: string
  cache: {
    kind: Kind | 'tombstone'
    status: string | null
    sessionId: string | null
    observedAt: string
    source: { topic: string; partition: number; offset: number }
    expiresAt: string
    /** The newest success, while a newer error holds the document. */
    lastSuccess?: {
      card?: string | null
      http_status?: number | string | null
      response?: unknown
      payload?: unknown
      user_id?: unknown
      observedAt: string
    }
  }
  /** Of the document's own content; null: it does not say. */
  facts: FactsView
}

export interface FactsView {
  sessionId: string | null
  zoneId: string | null
  card?: string | null
  plate: string | null
  startsAt: string | null
  endsAt: string | null
  amount: number | null
  currency: string | null
  errorCode: string | null
}

/** `GET /v1/events?card=`, newest first. The next page is in the `Link` header. */
export interface EventList {
  events: EventView[]
}

/** A session as the status topic tells it. */
export interface SessionSummary {
  session_id: string
  zone_id: string | null
  card?: string | null
  /** The session's own status word; null when none is known. */
  status: string | null
  /** Not ended yet. */
  parked: boolean
  /** Parked, though it should have ended. */
  overdue: boolean
  ends_at: string | null
  /** Of its newest update. */
  occurred_at: string
  revision: number
  state: Partial<Record<Kind, KindState>>
}

/** `GET /v1/sessions?…`, the newest first. */
export interface SessionList {
  sessions: SessionSummary[]
}

/** `GET /v1/sessions/{session_id}`. */
export interface SessionView {
  session_id: string
  zone_id: string | null
  card?: string | null
  status: string | null
  ends_at: string | null
  /** Null where no update is known, as of a session that only the primary knows. */
  revision: number | null
  state: Partial<Record<Kind, KindState>>
  /** Oldest first, by observed time. */
  events: EventView[]
}

/** How many are parked in a zone now. */
export interface ZoneView {
  zone_id: string
  parked: number
  /** Of those, how many should have ended. */
  overdue: number
  /** Of those parked, by status word. */
  by_status: Record<string, number>
}

/** `GET /v1/zones`, by zone id. */
export interface ZoneList {
  zones: ZoneView[]
}

/** `GET /v1/zones/{zone_id}?hours=`; and `GET /v1/occupancy?hours=` of all zones together, without a zone id. */
export interface Occupancy {
  /** Milliseconds between two points. */
  step: number
  /** Oldest first, the last is now. */
  points: { at: string; parked: number }[]
}
export type ZoneDetail = ZoneView & { occupancy: Occupancy }

/** `GET /v1/dead-letters`: of the letters that are in the topic, or of the newest of them. */
export interface DeadLetterReport {
  total: number
  by_reason: Partial<Record<DeadLetterReason, number>>
  /** Newest first, at most fifty. */
  newest: { at: string; reason: string; message: string; source: string }[]
}

export type Layer = 'memory' | 'mongodb' | 'primary'
export type LookUpOutcome = 'hit' | 'miss' | 'stale' | 'error' | 'negative' | 'coalesced'

/** `GET /v1/cache`: how the cache does, since the process started. */
export interface CacheReport {
  look_ups: Record<Layer, Partial<Record<LookUpOutcome, number>>>
  /** Of all look-ups, the part that memory answered; null before the first. */
  hit_ratio: number | null
  /** Of loads, by the layer that was asked. */
  load_seconds: Partial<Record<Layer, { count: number; p50: number; p99: number }>>
  entries: number
  bytes: number
  most_bytes: number
  evictions: number
  /** `none`: no primary is set. */
  primary: 'none' | 'closed' | 'open' | 'half-open'
  mongodb: 'up' | 'down'
  kafka: 'up' | 'down'
  /** How far what is shown lies behind the status topic, in records. */
  lag: number
  stream_clients: number
}

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  /** A URI reference that names the kind of problem. */
  type: string
  title: string
  status: number
  detail?: string
  /** What to do about it. */
  remedy?: string
}
