import type { FastifyInstance } from 'fastify'
import type { SessionView } from '../../../contract/api.ts'
import type { Answer } from '../../cache/answer.ts'
import { cursorText } from '../../cursor.ts'
import type { SessionCursor } from '../../live/board.ts'
import { forbidden } from '../access-hooks.ts'
import { assertNoCard, assertNoCardIn } from '../card-numbers.ts'
import { assertId } from '../ids.ts'
import { RequestProblem } from '../problems.ts'
import { readCursor } from '../read-cursor.ts'
import { mayRead, readableEvents, sendJson, setCacheHeaders } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { setLiveHeaders } from './live-headers.ts'
import { CURSOR, ID, LIMIT, NO_QUERY, NOT_MODIFIED, problemsOf, TEXT } from './schemas.ts'

interface Choice {
  zone?: string
  status?: string
  card?: string
  limit: number
  before?: string
}

const TAGS = ['sessions']

const ONE = {
  ...{ tags: TAGS, summary: 'One session: the state of each kind, its revision, and its events, the oldest first' },
  ...{ querystring: NO_QUERY, params: { type: 'object', properties: { session_id: ID } } },
  response: { 200: { $ref: 'Session#' }, ...NOT_MODIFIED, ...problemsOf(404) },
}

const LIST = {
  ...{ tags: TAGS, summary: 'Sessions that are parked, or ended within a day, the newest first' },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: { zone: TEXT, status: TEXT, card: TEXT, limit: LIMIT, before: CURSOR },
  },
  response: { 200: { $ref: 'SessionList#' }, ...NOT_MODIFIED, ...problemsOf() },
} as const

export function sessionRoutes(server: FastifyInstance, { lookUp, live, cards }: ServeParts): void {
  server.get<{ Params: { session_id: string } }>(
    '/v1/sessions/:session_id',
    { config: { scope: 'events:read' }, schema: ONE },
    async (request, reply) => {
      const { session_id: id } = request.params
      const { caller } = request
      assertId(id, cards)
      live.assertReady()
      // The state first: its event is then readable, so that the events are never older than it.
      const known = live.session(id)
      const look = await lookUp.session(id)
      const events = readableEvents(look.answer, caller)
      const session = { session_id: id, ...headOf(known, look.answer) }
      const isThere = events.length > 0 || session.revision !== null
      const isShown = isThere && mayRead(caller, session.zone_id)
      setCacheHeaders(reply, look, caller, isShown)
      if (!isShown) throw new RequestProblem('not-found', 'No store knows this session')
      return sendJson(request, reply, `${JSON.stringify(session).slice(0, -1)},"events":[${events.join()}]}`)
    },
  )

  server.get<{ Querystring: Choice }>(
    '/v1/sessions',
    { config: { scope: 'status:read' }, schema: LIST },
    async (request, reply) => {
      const { caller, query } = request
      const { card, limit, before, ...choice } = query
      for (const text of Object.values(choice)) assertNoCardIn(text, cards)
      if (card !== undefined) assertNoCard(card, cards)
      if (card !== undefined && !caller.scopes.has('cards:read')) throw forbidden('cards:read')
      live.assertReady()
      const { sessions, next } = live.board.sessions(
        { zones: caller.zones, ...choice, ...(card !== undefined && { card: [card] }) },
        { limit, ...(before !== undefined && { before: boardCursor(before) }) },
      )
      if (next) reply.header('link', nextPage(query, next))
      setLiveHeaders(reply, live)
      return sendJson(request, reply, JSON.stringify({ sessions }))
    },
  )
}

function nextPage(asked: Choice, { occurredAt, sessionId }: SessionCursor): string {
  const before = cursorText({ at: Date.parse(occurredAt), id: sessionId })
  return `</v1/sessions?${new URLSearchParams({ ...(asked as object), limit: String(asked.limit), before })}>; rel="next"`
}

type Head = Omit<SessionView, 'session_id' | 'events'>

/** Of the status topic; what that does not tell any more, of the newest events that do. */
function headOf(known: ReturnType<ServeParts['live']['session']>, { json, parts }: Answer): Head {
  const head: Head = { zone_id: null, card: null, status: null, ends_at: null, revision: null, state: {}, ...known }
  const isWhole = () => head.zone_id !== null && head.card !== null && head.ends_at !== null
  for (let i = parts.length - 1, looks = 0; i >= 0 && looks < MOST_LOOKS && !isWhole(); i--, looks++) {
    const { facts, cache } = JSON.parse(json.slice((parts[i - 1]?.end ?? -1) + 1, parts[i]?.end))
    head.zone_id ??= facts.zoneId
    head.card ??= facts.card
    head.ends_at ??= facts.endsAt
    if (known === undefined && cache.kind === 'session') head.status ??= cache.status
  }
  return head
}

const boardCursor = (text: string) => {
  const { at, id } = readCursor(text)
  return { occurredAt: new Date(at).toISOString(), sessionId: id }
}

/** Events read for what a session's newest ones tell. */
const MOST_LOOKS = 5
