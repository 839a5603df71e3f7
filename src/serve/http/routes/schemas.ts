/** What the HTTP API takes and gives, as JSON Schema: checked on the way in, and told in `/openapi.json`. */

/** An id may have a kibibyte. */
export const ID = { type: 'string', minLength: 1, maxLength: 1024 } as const
export const TEXT = ID
export const LIMIT = { type: 'integer', minimum: 1, maximum: 500, default: 50 } as const
export const CURSOR = { type: 'string', minLength: 1, maxLength: 4096 } as const
export const HOURS = { type: 'integer', minimum: 1, maximum: 24, default: 6 } as const

const PROBLEM = {
  description: 'What is wrong, and what to do about it',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
}

/** Those that any request may meet, and more. */
export const problemsOf = (...statuses: number[]) =>
  Object.fromEntries([...statuses, 400, 401, 403, 429, 500, 503].map((status) => [status, PROBLEM]))

/** Of what has an ETag. */
export const NOT_MODIFIED = {
  304: { description: 'The caller has it already, by If-None-Match', type: 'null' },
} as const

/** A parameter that nobody knows may be a slip, and may be what should stand in no address. */
export const NO_QUERY = { type: 'object', additionalProperties: false, properties: {} } as const

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const time = { type: 'string', format: 'date-time' } as const
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const
const count = { type: 'integer', minimum: 0 } as const
const anything = {} as const
const kind = { enum: ['error', 'payment', 'session', 'status'] } as const

const object = (properties: Record<string, object>, optional: string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})
const listOf = (items: object) => ({ type: 'array', items })

const content = {
  card: { type: ['string', 'null'], description: 'A token, a mask or an opaque reference; needs the scope cards:read' },
  http_status: { type: ['number', 'string', 'null'] },
  response: anything,
  payload: anything,
  user_id: anything,
}
const CONTENT = Object.keys(content)

const state = {
  type: 'object',
  description: 'The latest of each kind',
  propertyNames: kind,
  additionalProperties: object({ status: text, occurred_at: time, event_id: text }),
}

const session = {
  session_id: text,
  zone_id: textOrNull,
  card: textOrNull,
  status: textOrNull,
  ends_at: timeOrNull,
  state,
}

const occupancy = object({ step: count, points: listOf(object({ at: time, parked: count })) })
const zone = {
  zone_id: text,
  parked: count,
  overdue: { ...count, description: 'Of those parked, how many should have ended' },
  by_status: { type: 'object', additionalProperties: count },
}

const lookUps = { type: 'object', additionalProperties: count }
const seconds = object({ count, p50: { type: 'number' }, p99: { type: 'number' } })

export const SCHEMAS: Record<string, object> = {
  Problem: object({ type: text, title: text, status: count, detail: text, remedy: text }, ['detail', 'remedy']),
  Event: object(
    {
      _id: text,
      ...content,
      createdAt: time,
      updatedAt: time,
      cache: object(
        {
          kind: { enum: [...kind.enum, 'tombstone'] },
          status: textOrNull,
          sessionId: textOrNull,
          observedAt: time,
          source: object({ topic: text, partition: count, offset: count }),
          expiresAt: time,
          lastSuccess: object({ observedAt: time, ...content }, CONTENT),
        },
        ['lastSuccess'],
      ),
      facts: object(
        {
          ...{ sessionId: textOrNull, zoneId: textOrNull, card: textOrNull, plate: textOrNull },
          ...{ startsAt: timeOrNull, endsAt: timeOrNull, amount: { type: ['number', 'null'] } },
          ...{ currency: textOrNull, errorCode: textOrNull },
        },
        ['card'],
      ),
    },
    CONTENT,
  ),
  EventList: object({ events: listOf({ $ref: 'Event#' }), next: text }, ['next']),
  Session: object({ ...session, revision: { type: ['integer', 'null'] }, events: listOf({ $ref: 'Event#' }) }, [
    'card',
  ]),
  SessionList: object({
    sessions: listOf(
      object(
        { ...session, parked: { type: 'boolean' }, overdue: { type: 'boolean' }, occurred_at: time, revision: count },
        ['card'],
      ),
    ),
  }),
  ZoneList: object({ zones: listOf(object(zone)) }),
  ZoneDetail: object({ ...zone, occupancy }),
  Occupancy: occupancy,
  CacheReport: object({
    look_ups: object({ memory: lookUps, mongodb: lookUps, primary: lookUps }),
    hit_ratio: { type: ['number', 'null'] },
    load_seconds: { type: 'object', additionalProperties: seconds },
    ...{ entries: count, bytes: count, most_bytes: count, evictions: count },
    primary: { enum: ['none', 'closed', 'open', 'half-open'] },
    mongodb: { enum: ['up', 'down'] },
    kafka: { enum: ['up', 'down'] },
    ...{ lag: count, stream_clients: count },
  }),
  DeadLetterReport: object({
    total: count,
    by_reason: { type: 'object', additionalProperties: count },
    newest: listOf(object({ at: time, reason: text, message: text, source: text })),
  }),
}
