import type { FastifyInstance, FastifyRequest } from 'fastify'
import { assertId } from '../ids.ts'
import { RequestProblem } from '../problems.ts'
import { mayRead, sendJson, setCacheHeaders } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { setLiveHeaders } from './live-headers.ts'
import { HOURS, ID, NO_QUERY, NOT_MODIFIED, problemsOf } from './schemas.ts'

const SCOPE = { config: { scope: 'status:read' } } as const
const TAGS = ['zones']

export function zoneRoutes(server: FastifyInstance, parts: ServeParts): void {
  priceRoute(server, parts)
  const { live, cards } = parts
  server.get(
    '/v1/zones',
    {
      ...SCOPE,
      schema: {
        ...{ tags: TAGS, summary: 'How many are parked now, by zone and status' },
        querystring: NO_QUERY,
        response: { 200: { $ref: 'ZoneList#' }, ...NOT_MODIFIED, ...problemsOf() },
      },
    },
    async (request, reply) => {
      live.assertReady()
      setLiveHeaders(reply, live)
      return sendJson(request, reply, JSON.stringify({ zones: live.board.zones(request.caller.zones) }))
    },
  )

  server.get<{ Params: { zone_id: string }; Querystring: { hours: number } }>(
    '/v1/zones/:zone_id',
    {
      ...SCOPE,
      schema: {
        ...{ tags: TAGS, summary: 'How many are parked in a zone now, and were over the last hours' },
        params: { type: 'object', properties: { zone_id: ID } },
        querystring: { type: 'object', additionalProperties: false, properties: { hours: HOURS } },
        response: { 200: { $ref: 'ZoneDetail#' }, ...NOT_MODIFIED, ...problemsOf() },
      },
    },
    async (request, reply) => {
      const { zone_id: id } = request.params
      assertZone(id, request, cards)
      live.assertReady()
      setLiveHeaders(reply, live)
      const occupancy = live.board.occupancy(id, request.query.hours)
      return sendJson(request, reply, JSON.stringify({ ...live.board.zone(id), occupancy }))
    },
  )

  server.get<{ Querystring: { hours: number } }>(
    '/v1/occupancy',
    {
      ...SCOPE,
      schema: {
        ...{ tags: TAGS, summary: 'How many were parked in all zones together over the last hours' },
        querystring: { type: 'object', additionalProperties: false, properties: { hours: HOURS } },
        response: { 200: { $ref: 'Occupancy#' }, ...NOT_MODIFIED, ...problemsOf() },
      },
    },
    async (request, reply) => {
      if (request.caller.zones !== null)
        throw new RequestProblem('forbidden', 'These credentials are for some zones: ask for each of them')
      live.assertReady()
      setLiveHeaders(reply, live)
      return sendJson(request, reply, JSON.stringify(live.board.occupancy(null, request.query.hours)))
    },
  )
}

const PRICE = {
  ...{
    tags: TAGS,
    summary: 'What a zone costs: the newest price answer, without anything of who asked',
    querystring: NO_QUERY,
  },
  params: { type: 'object', properties: { zone_id: ID } },
  response: { 200: { $ref: 'Event#' }, ...NOT_MODIFIED, ...problemsOf(404) },
}

function priceRoute(server: FastifyInstance, { lookUp, cards }: ServeParts): void {
  const path = '/v1/zones/:zone_id/price'
  server.get<{ Params: { zone_id: string } }>(path, { ...SCOPE, schema: PRICE }, async (request, reply) => {
    const { zone_id: id } = request.params
    assertZone(id, request, cards)
    const look = await lookUp.price(id)
    setCacheHeaders(reply, look, request.caller, true)
    const { json, etag, parts } = look.answer
    if (parts.length === 0) throw new RequestProblem('not-found', 'No price is known of this zone')
    return sendJson(request, reply, json, etag)
  })
}

function assertZone(id: string, { caller }: FastifyRequest, cards: ServeParts['cards']): void {
  assertId(id, cards)
  if (!mayRead(caller, id)) throw new RequestProblem('forbidden', 'These credentials are for other zones')
}
