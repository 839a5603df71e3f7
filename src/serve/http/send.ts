/** Answers to their callers: only the events of their zones, cards only for who may read them, and 304 for what they have already. */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../access/access.ts'
import type { Answer } from '../cache/answer.ts'
import type { Look } from '../cache/read-through.ts'
import { cacheStatus } from './cache-status.ts'
import { withoutCards } from './without-cards.ts'

/** Shared caches must not keep what one caller may see, and their own ones ask again. */
const CACHE_CONTROL = 'private, no-cache'

export const mayRead = ({ zones }: Caller, zone: string | null): boolean =>
  zones === null || (zone !== null && zones.has(zone))

/** The JSON of the events that a caller may see, joined by commas; and an ETag that fits to it. */
export function visible(answer: Answer, caller: Caller): { json: string; etag: string; count: number } {
  const { parts } = answer
  const showsAll = caller.zones === null || parts.every(({ zone }) => mayRead(caller, zone))
  const json = showsAll ? answer.json : cut(answer, caller)
  const count = showsAll ? parts.length : parts.filter(({ zone }) => mayRead(caller, zone)).length
  const etag = showsAll ? answer.etag : etagOf(json)
  if (caller.scopes.has('cards:read')) return { json, etag, count }
  return { json: withoutCards(json), etag: `${etag.slice(0, -1)}-c"`, count }
}

function cut({ json, parts }: Answer, caller: Caller): string {
  const pieces: string[] = []
  let start = 0
  for (const { zone, end } of parts) {
    if (mayRead(caller, zone)) pieces.push(json.slice(start, end))
    start = end + 1
  }
  return pieces.join(',')
}

export const etagOf = (text: string) => `"${createHash('sha1').update(text).digest('base64url')}"`

export function setCacheHeaders(reply: FastifyReply, look: Look): void {
  reply.header('cache-status', cacheStatus(look)).header('age', look.age)
}

/** Sends JSON, or 304 where the caller has it. */
export function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  json: string,
  etag = etagOf(json),
): FastifyReply {
  reply.header('etag', etag).header('cache-control', CACHE_CONTROL).header('vary', 'Authorization, X-Api-Key')
  const known = request.headers['if-none-match']
  if (known !== undefined && matches(known, etag)) return reply.code(304).send()
  return reply.type('application/json; charset=utf-8').send(json)
}

/** RFC 9110, 13.1.2: compared weakly. */
function matches(header: string, etag: string): boolean {
  if (header.trim() === '*') return true
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
