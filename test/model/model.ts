import { type InputRecord, type ModelSettings, positionOf } from './input.ts'
import type { Content, Facts, Kind } from './meaning.ts'
import { isoOf } from './times.ts'
import { type Understood, understand } from './understand.ts'

/** One record as a state that a document can be in. */
export interface Version {
  kind: Kind | 'tombstone'
  status: string | null
  /** Observed time, epoch milliseconds. */
  at: number
  record: InputRecord
}

/** What is known of one event id. The document itself is made on demand, by `documentOf`, to save memory. */
export interface DocumentState {
  createdAt: number
  updatedAt: number
  holder: Version
  success: Version | null
  tombstone: Version | null
  /** Where its records came from; null: several partitions. */
  partition: string | null
  /** Has a record without a time of its own, whose place depends on the order of processing. */
  timeless: boolean
}

/** What one record says to the status stage, in the words of the status update. */
export interface Observed {
  event_id: string
  session_id: string | null
  card: string | null
  zone_id: string | null
  kind: Kind
  event_type: string | null
  status: string
  http_status: number | string | null
  occurred_at: string
  ends_at: string | null
  source: { topic: string; partition: number; offset: string }
}

type Said = Understood & { is: 'content' }

export interface DeadLetter {
  reason: string
  record: InputRecord
}

export interface Model {
  /** Takes the next record. Records of one partition must come in the order of their offsets. */
  take(record: InputRecord): Promise<void>
  readonly documents: ReadonlyMap<string, DocumentState>
  /** By key of the status update, in the order taken. */
  readonly observations: ReadonlyMap<string, Observed[]>
  /** By source position. */
  readonly deadLetters: ReadonlyMap<string, DeadLetter>
  readonly counts: { records: number; expired: number; tombstones: number }
}

export function createModel(settings: ModelSettings): Model {
  const documents = new Map<string, DocumentState>()
  const observations = new Map<string, Observed[]>()
  const deadLetters = new Map<string, DeadLetter>()
  const counts = { records: 0, expired: 0, tombstones: 0 }
  const hasExpired = (at: number) => at + settings.retentionMs <= settings.now

  function takeContent(record: InputRecord, said: Said): void {
    const latest = record.timestamp + settings.maxClockSkewMs
    const at =
      said.time === null ? (documents.get(said.id)?.createdAt ?? record.timestamp) : Math.min(said.time, latest)
    if (hasExpired(at)) {
      counts.expired++
      return
    }
    const { kind, status } = said.meaning
    addVersion(documents, said.id, { kind, status, at, record }, said.time === null)
    if (status === null) return
    const key = said.meaning.sessionId ?? said.id
    const list = observations.get(key) ?? []
    list.push(observedOf(record, said, status, at))
    observations.set(key, list)
  }

  return {
    documents,
    observations,
    deadLetters,
    counts,
    async take(record) {
      counts.records++
      const said = await understand(record, settings)
      if (said.is === 'dead letter') deadLetters.set(positionOf(record), { reason: said.reason, record })
      else if (said.is === 'content') takeContent(record, said)
      else if (hasExpired(record.timestamp)) counts.expired++
      else {
        counts.tombstones++
        addVersion(documents, said.id, { kind: 'tombstone', status: null, at: record.timestamp, record }, false)
      }
    },
  }
}

function observedOf(record: InputRecord, { id, content, meaning }: Said, status: string, at: number): Observed {
  return {
    event_id: id,
    session_id: meaning.sessionId,
    card: (content.card ?? meaning.card) as string | null,
    zone_id: meaning.zoneId,
    kind: meaning.kind,
    event_type: meaning.eventType,
    status,
    http_status: (content.http_status ?? null) as number | string | null,
    occurred_at: isoOf(at),
    ends_at: meaning.endsAt === null ? null : isoOf(meaning.endsAt),
    source: { topic: record.topic, partition: record.partition, offset: String(record.offset) },
  }
}

function addVersion(documents: Map<string, DocumentState>, id: string, version: Version, timeless: boolean): void {
  const { topic, partition, timestamp } = version.record
  const place = `${topic}/${partition}`
  const known = documents.get(id)
  const success = version.kind === 'error' || version.kind === 'tombstone' ? null : version
  const tombstone = version.kind === 'tombstone' ? version : null
  documents.set(id, {
    createdAt: Math.min(timestamp, known?.createdAt ?? timestamp),
    updatedAt: Math.max(timestamp, known?.updatedAt ?? timestamp),
    holder: newer(version, known?.holder ?? null) as Version,
    success: newer(success, known?.success ?? null),
    tombstone: newer(tombstone, known?.tombstone ?? null),
    partition: known === undefined || known.partition === place ? place : null,
    timeless: timeless || known?.timeless === true,
  })
}

function newer(a: Version | null, b: Version | null): Version | null {
  if (a === null || b === null) return a ?? b
  return compareVersions(a, b) > 0 ? a : b
}

/** The total order of the records of one event id: observed time, status word (a tombstone's is the greatest), position. */
export function compareVersions(a: Version, b: Version): number {
  return (
    a.at - b.at ||
    Number(a.kind === 'tombstone') - Number(b.kind === 'tombstone') ||
    compareText(a.status ?? '', b.status ?? '') ||
    compareText(a.record.topic, b.record.topic) ||
    a.record.partition - b.record.partition ||
    a.record.offset - b.record.offset
  )
}

export const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** A document as MongoDB must have it, times in epoch milliseconds. */
export interface ExpectedDocument extends Content {
  _id: string
  createdAt: number
  updatedAt: number
  /** Not stored: what readers find in it. */
  facts: Facts
  cache: {
    kind: Kind | 'tombstone'
    status: string | null
    sessionId: string | null
    observedAt: number
    source: { topic: string; partition: number; offset: number }
    expiresAt: number
    lastSuccess?: Content & { facts: Facts; observedAt: number }
    /** A tombstone is remembered though a newer record holds the document. */
    erased: boolean
  }
}

export async function documentOf(id: string, state: DocumentState, settings: ModelSettings): Promise<ExpectedDocument> {
  const { holder, success, tombstone } = state
  const { topic, partition, offset } = holder.record
  const said = await understand(holder.record, settings)
  const content = said.is === 'content' ? said.content : { http_status: 410 }
  const survives = holder.kind === 'error' && success && !(tombstone && compareVersions(tombstone, success) > 0)
  return {
    _id: id,
    ...content,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    facts: factsOf(said),
    cache: {
      kind: holder.kind,
      status: holder.status,
      sessionId: said.is === 'content' ? said.meaning.sessionId : null,
      observedAt: holder.at,
      source: { topic, partition, offset },
      expiresAt: holder.at + settings.retentionMs,
      ...(survives && { lastSuccess: await successOf(success, settings) }),
      erased: tombstone !== null && holder.kind !== 'tombstone',
    },
  }
}

async function successOf(
  version: Version,
  settings: ModelSettings,
): Promise<Content & { facts: Facts; observedAt: number }> {
  const said = await understand(version.record, settings)
  return { ...(said.is === 'content' ? said.content : {}), facts: factsOf(said), observedAt: version.at }
}

const factsOf = (said: Understood): Facts => (said.is === 'content' ? said.facts : {})
