/** `GET /v1/status-updates`: status updates as they are committed, as server-sent events. */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Kind } from '../../../contract/document.ts'
import type { Caller } from '../../access/access.ts'
import { droppedFor } from '../../live/frames.ts'
import type { DropReason, Listener } from '../../live/hub.ts'
import type { Filter } from '../../live/item.ts'
import { type Position, positionOf } from '../../live/position.ts'
import { clientOf, credentialsIn, forbidden } from '../access-hooks.ts'
import { assertNoCard, assertNoCardIn } from '../card-numbers.ts'
import { RequestProblem } from '../problems.ts'
import type { ServeParts } from '../server.ts'
import { ID, problemsOf } from './schemas.ts'

interface Choice {
  zone?: string[]
  session?: string[]
  card?: string[]
  kind?: Kind[]
  all: boolean
}

const MOST_CLIENTS = 20_000
const BEAT_MS = 15_000
/** Beats in a row at which something still waited to be read. */
const MOST_STUCK = 4

const several = { type: 'array', items: ID, maxItems: 100 } as const

const SCHEMA = {
  ...{ tags: ['status updates'], summary: 'Status updates as they are committed, as server-sent events' },
  description:
    'Events are named "status", their data is a status update. Send the id of the last one you took as Last-Event-ID to go on after it, ' +
    'without loss or repetition. "dropped" comes before the server ends the stream and says why; "reset" says that the position is not ' +
    'in the topic any more, so that the stream begins now.',
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...{ zone: several, session: several, card: several },
      kind: { type: 'array', items: { enum: ['error', 'payment', 'session', 'status'] }, maxItems: 4 },
      all: { type: 'boolean', default: false, description: 'Also updates that confirm the status that was there' },
    },
  },
  headers: { type: 'object', properties: { 'last-event-id': { type: 'string', maxLength: 20_000 } } },
  response: { 200: { description: 'text/event-stream', type: 'string' }, ...problemsOf(400) },
}

export function statusUpdateRoutes(server: FastifyInstance, parts: ServeParts): void {
  const { live, cards, metrics, log } = parts
  server.addHook('preClose', async () => live.hub.close())

  server.get<{ Querystring: Choice }>(
    '/v1/status-updates',
    // A HEAD request would be a stream that nobody reads.
    { config: { scope: 'status:read' }, schema: SCHEMA, exposeHeadRoute: false },
    async (request, reply) => {
      const { query, caller } = request
      for (const text of [...(query.zone ?? []), ...(query.session ?? [])]) assertNoCardIn(text, cards)
      for (const text of query.card ?? []) assertNoCard(text, cards)
      if (query.card && !caller.scopes.has('cards:read')) throw forbidden('cards:read')
      live.assertReady()
      if (live.hub.size >= MOST_CLIENTS)
        throw new RequestProblem('unavailable', `${MOST_CLIENTS} clients listen already`, 'Try again later')
      const from = lastPosition(request)
      const listener = open(reply, filterOf(query, caller), (why) => {
        live.hub.leave(listener)
        clearInterval(beating)
        metrics.streamClients.dec()
        if (why !== null) metrics.streamDrops.inc({ reason: why })
      })
      metrics.streamClients.inc()
      const beating = keepUp(request, listener, parts)
      log.debug({ client: clientOf(request) }, 'a client listens')
      live.hub.join(listener, from).catch((error: unknown) => {
        if (!listener.isGone) log.warn({ err: error }, 'a client could not be given what it missed')
        listener.drop('unavailable')
      })
      return reply
    },
  )
}

/** Beats for one client, each at its own time; ends its stream when it is stuck, or when its rights are others now. */
function keepUp({ headers, caller }: FastifyRequest, listener: Listener, { live, access }: ServeParts): NodeJS.Timeout {
  const credentials = credentialsIn(headers)
  let stuck = 0
  return setInterval(async () => {
    stuck = listener.waiting() > 0 ? stuck + 1 : 0
    if (stuck === MOST_STUCK) return listener.drop('slow')
    live.hub.beat(listener)
    if (!access.required) return
    const now = await access.authenticate(credentials)
    if ('refused' in now ? now.refused !== 'unavailable' : !hasSameRights(now, caller)) listener.drop('credentials')
  }, BEAT_MS)
}

function hasSameRights(one: Caller, other: Caller): boolean {
  const isSame = (a: ReadonlySet<string> | null, b: ReadonlySet<string> | null) =>
    a === b || (a !== null && b !== null && a.size === b.size && [...a].every((name) => b.has(name)))
  return isSame(one.scopes, other.scopes) && isSame(one.zones, other.zones)
}

/** Null: from now on. @throws RequestProblem for what is no position. */
function lastPosition({ headers }: FastifyRequest): Position | null {
  const text = headers['last-event-id']
  if (typeof text !== 'string' || text === '') return null
  const position = positionOf(text)
  if (position !== null) return position
  throw new RequestProblem('bad-request', 'Last-Event-ID is none that was given here', 'Leave it out to begin now')
}

function filterOf({ zone, session, card, kind, all }: Choice, { zones, scopes }: Caller): Filter {
  const setOf = <T>(wanted: T[] | undefined) => (wanted === undefined ? null : new Set(wanted))
  return {
    ...{ all, zones: setOf(zone), sessions: setOf(session), cards: setOf(card), kinds: setOf(kind) },
    readable: zones,
    showsCards: scopes.has('cards:read'),
  }
}

const WHY: Record<DropReason, Uint8Array> = {
  slow: droppedFor('The client reads too slowly; come back with Last-Event-ID'),
  stopping: droppedFor('The server stops; come back with Last-Event-ID'),
  credentials: droppedFor('The credentials are not good any more, or for something else now'),
  unavailable: droppedFor('What was missed cannot be read now; come back later with Last-Event-ID'),
}
/** A client that reads nothing at all does not keep its connection for longer. */
const LAST_WORDS_MS = 500

/** Takes the response over; `onGone` is called once, with the reason when we ended it. */
function open(reply: FastifyReply, filter: Filter, onGone: (why: DropReason | null) => void): Listener {
  reply.hijack()
  const response: ServerResponse = reply.raw
  // The stream ends with its connection, so it needs no chunks, and each delivery is one call of the system instead of three.
  response.removeHeader('transfer-encoding')
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'close',
  })
  response.flushHeaders()
  let isGone = false
  const gone = (why: DropReason | null) => {
    if (isGone) return
    isGone = true
    onGone(why)
  }
  response.on('close', () => gone(null))
  response.on('error', () => gone(null))
  return {
    filter,
    get isGone() {
      return isGone
    },
    deliver(frames) {
      if (isGone) return
      response.cork()
      for (const frame of frames) response.write(frame)
      response.uncork()
    },
    waiting: () => response.writableLength,
    drained: (mostMs) => drained(response, mostMs),
    drop(why) {
      if (isGone) return
      response.end(WHY[why])
      setTimeout(() => response.destroy(), LAST_WORDS_MS).unref()
      gone(why)
    },
  }
}

function drained(response: ServerResponse, mostMs: number): Promise<void> {
  if (response.writableLength === 0 || response.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(late)
      response.off('drain', end).off('close', end)
      resolve()
    }
    const late = setTimeout(end, mostMs)
    response.on('drain', end).on('close', end)
  })
}
