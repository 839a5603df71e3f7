/** Answers to their callers: only the events of their zones, cards only for who may read them, and 304 for what they have already. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../access/access.ts'
import { type Answer, etagOf } from '../cache/answer.ts'
import type { Look } from '../cache/read-through.ts'
import { withoutCards } from '../without-cards.ts'
import { cacheStatus } from './cache-status.ts'

/** Shared caches must not keep what one caller may see, and their own ones ask again. */
const PRIVATE = { 'cache-control': 'private, no-cache', vary: 'Authorization, X-Api-Key' }

export const mayRead = ({ zones }: Caller, zone: string | null): boolean =>
  zones === null || (zone !== null && zones.has(zone))

/** The JSON of those events that a caller may see. */
export function readableEvents({ json, parts }: Answer, caller: Caller): string[] {
  const events: string[] = []
  let start = 0
  for (const { zone, end } of parts) {
    if (mayRead(caller, zone)) events.push(json.slice(start, end))
    start = end + 1
  }
  return events
}

/**
 * How an answer was come by. Of nothing that can be shown, this would tell who may see some zones only whether there is something that
 * they may not see: so it is not told to them.
 */
export function setCacheHeaders(reply: FastifyReply, look: Look, { zones }: Caller, isShown: boolean): void {
  if (isShown || zones === null) reply.header('cache-status', cacheStatus(look)).header('age', look.age)
}

/**
 * Sends JSON, or 304 where the caller has it.
 * @param etag where it is known of all of the JSON. Who may not read cards has one of what they see: out of another, the digits that
 *   a mask leaves open could be found by trying.
 */
export function sendJson(request: FastifyRequest, reply: FastifyReply, json: string, etag?: string): FastifyReply {
  const showsAll = request.caller.scopes.has('cards:read')
  const shown = showsAll ? json : withoutCards(json)
  // What was asked for in a body is kept by nobody.
  if (request.method === 'POST') return sendText(reply.header('cache-control', 'no-store'), shown)
  return sendTagged(request, reply.headers(PRIVATE), shown, showsAll && etag !== undefined ? etag : etagOf(shown))
}

export function sendTagged(request: FastifyRequest, reply: FastifyReply, json: string, etag: string): FastifyReply {
  reply.header('etag', etag)
  const known = request.headers['if-none-match']
  return known !== undefined && matches(known, etag) ? reply.code(304).send() : sendText(reply, json)
}

const sendText = (reply: FastifyReply, json: string) => reply.type('application/json; charset=utf-8').send(json)

/** RFC 9110, 13.1.2: compared weakly. */
function matches(header: string, etag: string): boolean {
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
