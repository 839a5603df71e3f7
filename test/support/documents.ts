import fc from 'fast-check'
import type { CacheContent, CacheDocument, Kind } from '../../src/contract/document.ts'
import { orderOf, tombstoneOrder } from '../../src/contract/order.ts'
import type { Json } from '../../src/contract/record.ts'
import { merge } from '../../src/documents/merge.ts'

/** Cache documents for tests: by hand, each from a short note of its record, and at random. */

export const START = Date.UTC(2026, 4, 1, 12)
const RETENTION_MS = 90 * 86_400_000
/** So far in the future that no TTL task deletes a document under a test. */
const EXPIRY_START = Date.UTC(2099, 0, 1)

export interface Note {
  id?: string
  kind?: Kind | 'tombstone'
  /** Observed time, seconds after START. */
  at?: number
  /** Kafka timestamp, seconds after START; by default the observed time. */
  arrived?: number
  status?: string | null
  offset?: number
  content?: CacheContent
}

/** The document of one record, as ingest makes it before any merge. */
export function documentOf(note: Note): CacheDocument {
  const { id = 'event-1', kind = 'session', at = 0, arrived = at, status = 'on-going', offset = at } = note
  const source = { topic: 'parkmobile.events', partition: 0, offset: String(offset) }
  const observed = START + at * 1000
  const isTombstone = kind === 'tombstone'
  const timestamp = new Date(START + arrived * 1000)
  return {
    _id: id,
    ...(isTombstone ? { http_status: 410 } : (note.content ?? { card: 'card-1', http_status: 200, response: { at } })),
    createdAt: timestamp,
    updatedAt: timestamp,
    cache: {
      kind,
      status: isTombstone ? null : status,
      sessionId: isTombstone ? null : 'session-1',
      observedAt: new Date(observed),
      order: isTombstone ? tombstoneOrder(observed, source) : orderOf(observed, status, source),
      source: { ...source, offset },
      expiresAt: new Date(EXPIRY_START + at * 1000 + RETENTION_MS),
    },
  }
}

/** One document per id, in order of first appearance. */
export function foldById(documents: Iterable<CacheDocument>): CacheDocument[] {
  const folded = new Map<string, CacheDocument>()
  for (const document of documents) {
    const seen = folded.get(document._id)
    folded.set(document._id, seen === undefined ? document : merge(seen, document))
  }
  return [...folded.values()]
}

const hostileKeys = [
  '$ref',
  '$set',
  '$literal',
  '$$new',
  'a.b',
  '',
  '__proto__',
  'constructor',
  '0',
  '_id',
  'cache',
  'é',
]
const hostileTexts = ['$card', '$$ROOT', '$$REMOVE', '', 'ü\u0000', '😀']

/** Any JSON that normalization lets through: hostile keys, 64-bit integers, nesting, no NUL in a key. */
export const anyJson: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    fc.constantFrom(...hostileTexts),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(tie('json'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.constantFrom(...hostileKeys), fc.string({ maxLength: 5 })), tie('json')), {
        selector: ([key]) => key,
        maxLength: 4,
      })
      .map(objectOf),
  ),
})).json

/** `Object.fromEntries` keeps `__proto__` as a key of its own, as `JSON.parse` does. */
function objectOf(entries: [string, Json][]): Json {
  return Object.fromEntries(entries)
}

const anyContent: fc.Arbitrary<CacheContent> = fc.record(
  {
    card: fc.constantFrom('card-1', 'card-2', null),
    http_status: fc.constantFrom<(number | string | null)[]>(200, 409, 500, 0, 'ETIMEDOUT', null),
    response: anyJson,
    payload: anyJson,
    user_id: fc.oneof(fc.integer(), fc.constant(null)),
  },
  { requiredKeys: [] },
)

const anyKind = fc.constantFrom<(Kind | 'tombstone')[]>('session', 'payment', 'status', 'error', 'error', 'tombstone')
const anyStatus = fc.constantFrom(null, 'on-going', 'on', 'finished', '500', 'a b', 'é', '~')

/** Records of few ids and few times, so that ties, errors and tombstones meet; each has an offset of its own. */
export function anyDocuments(ids: readonly string[], constraints: { minLength?: number; maxLength: number }) {
  const note = fc.record({
    id: fc.constantFrom(...ids),
    kind: anyKind,
    at: fc.integer({ min: 0, max: 4 }),
    arrived: fc.integer({ min: 0, max: 9 }),
    status: anyStatus,
    content: anyContent,
  })
  return fc
    .tuple(fc.array(note, { minLength: 1, ...constraints }), fc.integer({ min: 0, max: 1_000 }))
    .map(([notes, seed]) => notes.map((each, index) => documentOf({ ...each, offset: (index * 7919 + seed) % 10_007 })))
}
