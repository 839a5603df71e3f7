import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Look } from '../../cache/read-through.ts'
import type { Cursor } from '../../cursor.ts'
import { forbidden } from '../access-hooks.ts'
import { assertNoCard, assertNoCardIn, storedCards } from '../card-numbers.ts'
import { RequestProblem } from '../problems.ts'
import { readCursor } from '../read-cursor.ts'
import { mayRead, sendJson, setCacheHeaders, visible } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { CURSOR, ID, LIMIT, problemsOf, TEXT } from './schemas.ts'

interface Page {
  card?: string
  limit: number
  before?: string
}

const SCOPE = { config: { scope: 'events:read' } } as const
const TAGS = ['events']

export function eventRoutes(server: FastifyInstance, { lookUp, cards }: ServeParts): void {
  server.get<{ Params: { id: string } }>(
    '/v1/events/:id',
    {
      ...SCOPE,
      schema: {
        ...{ tags: TAGS, summary: 'One event: its cache document' },
        params: { type: 'object', properties: { id: ID } },
        response: { 200: { $ref: 'Event#' }, ...problemsOf(400, 404, 410) },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      assertNoCardIn(id, cards)
      const look = await lookUp.event(id)
      setCacheHeaders(reply, look)
      return sendEvent(request, reply, look)
    },
  )

  const list = async (request: FastifyRequest, reply: FastifyReply, { card, limit, before }: CardQuestion) => {
    if (!request.caller.scopes.has('cards:read')) throw forbidden('cards:read')
    const look = await lookUp.card(storedCards(card, cards), limit, before)
    setCacheHeaders(reply, look)
    const { json, etag } = visible(look.answer, request.caller)
    return { look, json: `{"events":[${json}]}`, etag }
  }

  server.get<{ Querystring: Page }>(
    '/v1/events',
    {
      ...SCOPE,
      schema: {
        ...{
          tags: TAGS,
          summary: 'Events of a card as it is stored, the newest first; the next page is in the Link header',
        },
        querystring: {
          type: 'object',
          required: ['card'],
          additionalProperties: false,
          properties: { card: TEXT, limit: LIMIT, before: CURSOR },
        },
        response: { 200: { $ref: 'EventList#' }, ...problemsOf(400, 403) },
      },
    },
    async (request, reply) => {
      const { card = '', limit, before } = request.query
      assertNoCard(card, cards)
      const { look, json, etag } = await list(request, reply, {
        card,
        limit,
        before: before === undefined ? null : readCursor(before),
      })
      const { next } = look.answer
      if (next !== null) {
        const query = new URLSearchParams({ card, limit: String(limit), before: next })
        reply.header('link', `</v1/events?${query}>; rel="next"`)
      }
      return sendJson(request, reply, json, etag)
    },
  )

  server.post<{ Body: Page }>(
    '/v1/events/query',
    {
      ...SCOPE,
      schema: {
        ...{
          tags: TAGS,
          summary: 'Events of a card, which may be its number; the next page is asked for with "before"',
        },
        body: {
          type: 'object',
          required: ['card'],
          additionalProperties: false,
          properties: { card: TEXT, limit: LIMIT, before: CURSOR },
        },
        response: { 200: { $ref: 'EventList#' }, ...problemsOf(400, 403, 409) },
      },
    },
    async (request, reply) => {
      const { card = '', limit, before } = request.body
      const { look, json, etag } = await list(request, reply, {
        card,
        limit,
        before: before === undefined ? null : readCursor(before),
      })
      const { next } = look.answer
      const withNext = next === null ? json : `${json.slice(0, -1)},"next":${JSON.stringify(next)}}`
      return sendJson(request, reply, withNext, etag)
    },
  )
}

interface CardQuestion {
  card: string
  limit: number
  before: Cursor | null
}

function sendEvent(request: FastifyRequest, reply: FastifyReply, { answer }: Look): FastifyReply {
  const [part] = answer.parts
  if (part?.isGone && request.caller.zones === null)
    throw new RequestProblem('gone', 'This event was invalidated by a null value')
  if (part === undefined || part.isGone || !mayRead(request.caller, part.zone)) {
    throw new RequestProblem('not-found', 'No store knows this event')
  }
  const { json, etag } = visible(answer, request.caller)
  return sendJson(request, reply, json, etag)
}
