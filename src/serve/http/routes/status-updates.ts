/** `GET /v1/status-updates`: status updates as they are committed, as server-sent events. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Kind } from '../../../contract/document.ts'
import type { Caller } from '../../access/access.ts'
import type { DropReason, Listener } from '../../live/hub.ts'
import type { Filter } from '../../live/item.ts'
import { type Position, positionOf } from '../../live/position.ts'
import { clientOf, forbidden } from '../access-hooks.ts'
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
  const { live, access, cards, metrics } = parts
  const beating = setInterval(() => live.hub.beat(), BEAT_MS)
  server.addHook('preClose', async () => {
    clearInterval(beating)
    live.hub.close()
  })

  server.get<{ Querystring: Choice }>(
    '/v1/status-updates',
    { config: { scope: 'status:read' }, schema: SCHEMA },
    async (request, reply) => {
      const { query, caller } = request
      for (const text of [...(query.zone ?? []), ...(query.session ?? [])]) assertNoCardIn(text, cards)
      for (const text of query.card ?? []) assertNoCard(text, cards)
      if (query.card && !caller.scopes.has('cards:read')) throw forbidden('cards:read')
      live.assertReady()
      if (live.hub.size >= MOST_CLIENTS)
        throw new RequestProblem('unavailable', `${MOST_CLIENTS} clients listen already`, 'Try again later')
      const asked = lastEventId(request)
      const from = asked === null ? null : positionOf(asked, live.partitions())
      if (asked !== null && from === null)
        throw new RequestProblem(
          'bad-request',
          'Last-Event-ID is none that was given here',
          'Leave it out to begin now',
        )
      const listener = open(reply, filterOf(query, caller), {
        onGone: (why) => {
          live.hub.leave(listener)
          clearInterval(checking)
          metrics.streamClients.dec()
          if (why !== null) metrics.streamDrops.inc({ reason: why })
        },
      })
      metrics.streamClients.inc()
      // Credentials that were withdrawn, or have expired, end a stream too.
      const checking = setInterval(async () => {
        const { authorization, 'x-api-key': key } = request.headers
        const now = await access.authenticate({ authorization, 'x-api-key': Array.isArray(key) ? key.join() : key })
        if ('refused' in now ? now.refused !== 'unavailable' : !now.scopes.has('status:read'))
          listener.drop('credentials')
      }, BEAT_MS)
      parts.log.debug({ client: clientOf(request) }, 'a client listens')
      const isKnown = from !== null && isWithin(from, live.hub.position())
      if (from !== null && !isKnown) listener.deliver(RESET)
      live.hub.join(listener, isKnown ? from : null).catch((error: unknown) => {
        if (!listener.isGone) parts.log.warn({ err: error }, 'a client could not be given what it missed')
        listener.drop('slow')
      })
      return reply
    },
  )
}

const RESET = `event: reset\ndata: ${JSON.stringify({ reason: 'The position is not in the topic any more; the stream begins now' })}\n\n`

const isWithin = (from: Position, end: Position) => from.every((offset, partition) => offset <= (end[partition] ?? 0n))

function lastEventId({ headers }: FastifyRequest): string | null {
  const text = headers['last-event-id']
  return typeof text === 'string' && text !== '' ? text : null
}

function filterOf({ zone, session, card, kind, all }: Choice, { zones, scopes }: Caller): Filter {
  const setOf = <T>(wanted: T[] | undefined) => (wanted === undefined ? null : new Set(wanted))
  return {
    ...{ all, zones: setOf(zone), sessions: setOf(session), cards: setOf(card), kinds: setOf(kind) },
    readable: zones,
    showsCards: scopes.has('cards:read'),
  }
}

const WHY: Record<DropReason, string> = {
  slow: 'The client reads too slowly; come back with Last-Event-ID',
  stopping: 'The server stops; come back with Last-Event-ID',
  credentials: 'The credentials are not good any more',
}
/** A client that reads nothing at all does not keep its connection for longer. */
const LAST_WORDS_MS = 1_000

/** Takes the response over; `onGone` is called once, with the reason when we ended it. */
function open(reply: FastifyReply, filter: Filter, { onGone }: { onGone: (why: DropReason | null) => void }): Listener {
  reply.hijack()
  const response: ServerResponse = reply.raw
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
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
      if (!isGone && frames !== '') response.write(frames)
    },
    waiting: () => response.writableLength,
    async drained() {
      if (!isGone && response.writableNeedDrain) await Promise.race([once(response, 'drain'), once(response, 'close')])
    },
    drop(why) {
      if (isGone) return
      response.end(`event: dropped\ndata: ${JSON.stringify({ reason: WHY[why] })}\n\n`)
      setTimeout(() => response.destroy(), LAST_WORDS_MS).unref()
      gone(why)
    },
  }
}
