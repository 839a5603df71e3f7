import type { FastifyInstance } from 'fastify'
import type { SessionSummary, SessionView } from '../../../contract/api.ts'
import type { Answer } from '../../cache/answer.ts'
import { cursorText } from '../../cursor.ts'
import { forbidden } from '../access-hooks.ts'
import { assertNoCard, assertNoCardIn } from '../card-numbers.ts'
import { RequestProblem } from '../problems.ts'
import { readCursor } from '../read-cursor.ts'
import { mayRead, sendJson, setCacheHeaders, visible } from '../send.ts'
import type { ServeParts } from '../server.ts'
import { setLiveHeaders } from './live-headers.ts'
import { CURSOR, ID, LIMIT, problemsOf, TEXT } from './schemas.ts'

interface Choice {
  zone?: string
  status?: string
  card?: string
  limit: number
  before?: string
}

const TAGS = ['sessions']

export function sessionRoutes(server: FastifyInstance, { lookUp, live, cards }: ServeParts): void {
  server.get<{ Params: { session_id: string } }>(
    '/v1/sessions/:session_id',
    {
      config: { scope: 'events:read' },
      schema: {
        ...{
          tags: TAGS,
          summary: 'One session: the state of each kind, its revision, and its events, the oldest first',
        },
        params: { type: 'object', properties: { session_id: ID } },
        response: { 200: { $ref: 'Session#' }, ...problemsOf(400, 404) },
      },
    },
    async (request, reply) => {
      const { session_id: id } = request.params
      const { caller } = request
      assertNoCardIn(id, cards)
      live.assertReady()
      // The state first: its event is then readable, so that the events are never older than it.
      const known = live.session(id)
      const look = await lookUp.session(id)
      setCacheHeaders(reply, look)
      const { json: events, count } = visible(look.answer, caller)
      const session = { session_id: id, ...headOf(known, look.answer) }
      const isHidden = caller.zones !== null && !mayRead(caller, session.zone_id)
      if (isHidden || (count === 0 && session.revision === null)) {
        throw new RequestProblem('not-found', 'No store knows this session')
      }
      const { card, ...rest } = session
      const head = JSON.stringify(caller.scopes.has('cards:read') ? { ...rest, card } : rest)
      return sendJson(request, reply, `${head.slice(0, -1)},"events":[${events}]}`)
    },
  )

  server.get<{ Querystring: Choice }>(
    '/v1/sessions',
    {
      config: { scope: 'status:read' },
      schema: {
        ...{ tags: TAGS, summary: 'Sessions that are parked, or ended within a day, the newest first' },
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { zone: TEXT, status: TEXT, card: TEXT, limit: LIMIT, before: CURSOR },
        },
        response: { 200: { $ref: 'SessionList#' }, ...problemsOf(400, 403) },
      },
    },
    async (request, reply) => {
      const { caller, query } = request
      const { card, limit, before, ...choice } = query
      for (const text of Object.values(choice)) assertNoCardIn(text, cards)
      if (card !== undefined) assertNoCard(card, cards)
      const maySeeCards = caller.scopes.has('cards:read')
      if (card !== undefined && !maySeeCards) throw forbidden('cards:read')
      live.assertReady()
      const page = live.board.sessions(
        { zones: caller.zones, ...choice, ...(card !== undefined && { card: [card] }) },
        { limit, ...(before !== undefined && { before: boardCursor(before) }) },
      )
      if (page.next) {
        const next = new URLSearchParams({
          ...(query as object),
          limit: String(limit),
          before: cursorText({ at: new Date(page.next.occurredAt), id: page.next.sessionId }),
        })
        reply.header('link', `</v1/sessions?${next}>; rel="next"`)
      }
      setLiveHeaders(reply, live)
      const sessions = maySeeCards ? page.sessions : page.sessions.map(withoutCard)
      return sendJson(request, reply, JSON.stringify({ sessions }))
    },
  )
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
  return { occurredAt: at.toISOString(), sessionId: id }
}

/** Events read for what a session's newest ones tell. */
const MOST_LOOKS = 5

const withoutCard = ({ card: _, ...rest }: SessionSummary): SessionSummary => rest
