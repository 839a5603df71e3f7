import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Look } from '../../cache/read-through.ts'
import { forbidden } from '../access-hooks.ts'
import { cardPage } from '../card-events.ts'
import { assertNoCard, storedCards } from '../card-numbers.ts'
import { assertId } from '../ids.ts'
import { RequestProblem } from '../problems.ts'
import { readCursor } from '../read-cursor.ts'
import { readableEvents, sendJson, setCacheHeaders } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { CURSOR, ID, LIMIT, NO_QUERY, NOT_MODIFIED, problemsOf, TEXT } from './schemas.ts'

interface Page {
  card: string
  limit: number
  before?: string
}

const SCOPE = { config: { scope: 'events:read' } } as const
const TAGS = ['events']

const PAGE = {
  type: 'object',
  required: ['card'],
  additionalProperties: false,
  properties: { card: TEXT, limit: LIMIT, before: CURSOR },
} as const

const ONE = {
  ...{ tags: TAGS, summary: 'One event: its cache document', querystring: NO_QUERY },
  params: { type: 'object', properties: { id: ID } },
  response: { 200: { $ref: 'Event#' }, ...NOT_MODIFIED, ...problemsOf(404, 410) },
}

const OF_CARD = {
  ...{ tags: TAGS, querystring: PAGE },
  summary: 'Events of a card as it is stored, the newest first; the next page is in the Link header',
  response: { 200: { $ref: 'EventList#' }, ...NOT_MODIFIED, ...problemsOf() },
}

const QUERY = {
  ...{ tags: TAGS, querystring: NO_QUERY },
  summary: 'Events of a card, which may be its number; the next page is asked for with "before"',
  body: { ...PAGE, examples: [{ card: '4111 1111 1111 1111', limit: 10 }] },
  response: { 200: { $ref: 'EventList#' }, ...problemsOf(409, 413, 415) },
}

export function eventRoutes(server: FastifyInstance, { lookUp, cards }: ServeParts): void {
  server.get<{ Params: { id: string } }>('/v1/events/:id', { ...SCOPE, schema: ONE }, async (request, reply) => {
    const { id } = request.params
    assertId(id, cards)
    return sendEvent(request, reply, await lookUp.event(id))
  })

  const page = async ({ caller }: FastifyRequest, reply: FastifyReply, { card, limit, before }: Page) => {
    if (!caller.scopes.has('cards:read')) throw forbidden('cards:read')
    const question = {
      cards: storedCards(card, cards),
      limit,
      before: before === undefined ? null : readCursor(before),
    }
    const found = await cardPage(lookUp, question, caller)
    setCacheHeaders(reply, found.look, caller, !found.isEmpty)
    return found
  }

  server.get<{ Querystring: Page }>('/v1/events', { ...SCOPE, schema: OF_CARD }, async (request, reply) => {
    const { card, limit } = request.query
    assertNoCard(card, cards)
    const { json, etag, next } = await page(request, reply, request.query)
    if (next !== null) {
      const query = new URLSearchParams({ card, limit: String(limit), before: next })
      reply.header('link', `</v1/events?${query}>; rel="next"`)
    }
    return sendJson(request, reply, `{"events":[${json}]}`, etag)
  })

  server.post<{ Body: Page }>('/v1/events/query', { ...SCOPE, schema: QUERY }, async (request, reply) => {
    const { json, next } = await page(request, reply, request.body)
    const more = next === null ? '' : `,"next":${JSON.stringify(next)}`
    return sendJson(request, reply, `{"events":[${json}]${more}}`)
  })
}

/** To who sees some zones only, what belongs to another zone, what was invalidated and what never was are the same. */
function sendEvent(request: FastifyRequest, reply: FastifyReply, look: Look): FastifyReply {
  const { caller } = request
  const { answer } = look
  const isGone = answer.parts[0]?.isGone ?? false
  const [json] = isGone ? [] : readableEvents(answer, caller)
  setCacheHeaders(reply, look, caller, json !== undefined)
  if (isGone && caller.zones === null) throw new RequestProblem('gone', 'This event was invalidated by a null value')
  if (json === undefined) throw new RequestProblem('not-found', 'No store knows this event')
  return sendJson(request, reply, json, answer.etag)
}
