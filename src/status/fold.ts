/**
 * The decision of the status stage, pure: head × observation → update and next head, or nothing.
 *
 * An observation moves the head of its (key, kind) when it is newer by the order key: observed time, event id, status
 * word. An older or equal one publishes nothing, so any repetition of what was already folded is silent.
 */
import { hash } from 'node:crypto'
import type { Kind } from '../contract/document.ts'
import { isoOf } from '../contract/iso-time.ts'
import type { Observation } from '../contract/observation.ts'
import type { KindState, StatusUpdate } from '../contract/status-update.ts'

/** What is known of a key: its latest committed update, as far as the next one depends on it. */
export interface Head {
  revision: number
  state: Partial<Record<Kind, KindState>>
}

export function headOf({ revision, state }: StatusUpdate): Head {
  return { revision, state }
}

/** The update that `observation` causes on `head`, or null when it is not newer. */
export function fold(head: Head | undefined, observation: Observation): StatusUpdate | null {
  const { kind, status, event_id } = observation
  const occurred_at = isoOf(observation.at)
  const previous = head?.state[kind]
  if (previous && compare(occurred_at, event_id, status, previous) <= 0) return null
  const { key, source, session_id, card, zone_id, event_type, http_status, ends_at } = observation
  return {
    id: updateId(key, kind, event_id, occurred_at, status),
    event_id,
    session_id,
    card,
    zone_id,
    kind,
    event_type,
    previous_status: previous?.status ?? null,
    status,
    changed: status !== previous?.status,
    http_status,
    occurred_at,
    ends_at,
    revision: (head?.revision ?? 0) + 1,
    state: { ...head?.state, [kind]: { status, occurred_at, event_id } },
    source,
  }
}

function compare(occurredAt: string, eventId: string, status: string, head: KindState): number {
  return order(occurredAt, head.occurred_at) || order(eventId, head.event_id) || order(status, head.status)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export interface KeyedUpdate {
  key: string
  update: StatusUpdate
}

export interface Folded {
  updates: KeyedUpdate[]
  /** Heads after all updates, to be kept once these are committed. */
  heads: Map<string, Head>
  older: number
  expired: number
}

/**
 * Folds observations in order. `headOfKey` gives the committed heads; an observation older than `oldest` (epoch ms) has
 * expired and is ignored, so that a rewind revives nothing.
 */
export function foldAll(
  headOfKey: (key: string) => Head | undefined,
  observations: readonly Observation[],
  oldest: number,
): Folded {
  const folded: Folded = { updates: [], heads: new Map(), older: 0, expired: 0 }
  for (const observation of observations) {
    const { key, at } = observation
    if (at <= oldest) {
      folded.expired++
      continue
    }
    const update = fold(folded.heads.get(key) ?? headOfKey(key), observation)
    if (update) {
      folded.updates.push({ key, update })
      folded.heads.set(key, headOf(update))
    } else folded.older++
  }
  return folded
}

/** Namespace of update ids, itself a random UUID; the name is written behind it. */
let namespaceAndName = Buffer.from('6f1d8a8e2f0b4c5d9d3f5a1c7be0c0de', 'hex')
const NAMESPACE_BYTES = namespaceAndName.length
/** Where the digits of an id go, between its dashes. */
const PLACES = Array.from('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx').flatMap((mark, at) => (mark === 'x' ? [at] : []))
const id = Buffer.from('00000000-0000-0000-0000-000000000000')

/** UUIDv5 (RFC 9562) over the JSON array of its parts. */
export function updateId(key: string, kind: Kind, eventId: string, occurredAt: string, status: string): string {
  const name = JSON.stringify([key, kind, eventId, occurredAt, status])
  const most = NAMESPACE_BYTES + 3 * name.length
  if (most > namespaceAndName.length) namespaceAndName = Buffer.concat([namespaceAndName], 2 * most)
  const end = NAMESPACE_BYTES + namespaceAndName.write(name, NAMESPACE_BYTES)
  // In one call: to make a hash object for each id takes three times as long.
  const hex = hash('sha1', namespaceAndName.subarray(0, end), 'hex')
  for (let i = 0; i < PLACES.length; i++) id[PLACES[i] as number] = hex.charCodeAt(i)
  id[14] = 53 // version 5
  id[19] = '89ab'.charCodeAt(Number.parseInt(hex[16] as string, 16) & 3) // the variant
  return id.toString('latin1')
}
