/** Who asks, and how often, before anything else is done for them. */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Access, Caller, CredentialHeaders, Refused, Scope } from '../access/access.ts'
import { networkOf } from './network.ts'
import { RequestProblem } from './problems.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler runs. */
    caller: Caller
  }
  interface FastifyContextConfig {
    /** What a caller needs; null: nothing, not even to be known. */
    scope?: Scope | null
    /** False: asked by the machine itself, however often. */
    isCounted?: boolean
  }
}

const NOBODY: Caller = { id: 'nobody', scopes: new Set(), zones: new Set(), expiresAt: null }

/** Names a caller where requests are counted and logged. */
export const clientOf = ({ caller }: FastifyRequest): string => caller.id

/**
 * Learns who asks and whether they may. Each caller's requests are counted, of all their addresses; of what needs no credentials,
 * those of an address are; and so are credentials that were refused, so that nobody can try many of them.
 * @param requestsPerSecond of one client; 0: any number
 */
export async function admitCallers(server: FastifyInstance, access: Access, requestsPerSecond: number): Promise<void> {
  const limit = requestsPerSecond > 0 ? createRateLimit(requestsPerSecond) : null
  // Nobody has to say who they are, so nothing is waited for.
  const anybody = access.required ? null : await access.authenticate({})
  server.decorateRequest('caller', null as unknown as Caller)

  const admit = (request: FastifyRequest, reply: FastifyReply): void | Promise<void> => {
    const { scope = null, isCounted = true } = request.routeOptions.config
    if (scope === null) {
      request.caller = NOBODY
      if (limit && isCounted) count(limit, `address:${networkOf(request.ip)}`, reply)
      return
    }
    const admitted = (outcome: Caller | Refused) => {
      if ('refused' in outcome) throw refusal(outcome, request, reply, limit)
      request.caller = outcome
      if (limit) count(limit, outcome.id, reply)
      assertMay(outcome, scope)
    }
    if (anybody) return admitted(anybody)
    const { headers } = request
    if (limit && isCostly(headers) && limit.left(refusedOf(request)) <= 0) throw tooMany(limit)
    return access.authenticate(credentialsIn(headers)).then(admitted)
  }
  server.addHook('onRequest', (request, reply, done) => {
    const admission = admit(request, reply)
    if (admission === undefined) done()
    return admission
  })
}

/**
 * The signature of a JWT takes many times what it takes to look a key up: who has sent too many bad credentials is not heard with
 * another JWT. Good keys are, so that who shares an address with them, as behind a proxy, is not shut out by it.
 */
const isCostly = ({ authorization }: IncomingHttpHeaders) =>
  authorization !== undefined && !/^bearer +pmk_/i.test(authorization)

const refusedOf = ({ ip }: FastifyRequest) => `refused:${networkOf(ip)}`

function refusal(refused: Refused, request: FastifyRequest, reply: FastifyReply, limit: RateLimit | null) {
  const { refused: why, detail } = refused
  if (why === 'unavailable') {
    return new RequestProblem('unavailable', detail, 'Try again in a moment', { 'retry-after': '5' })
  }
  if (limit) count(limit, refusedOf(request), reply)
  // RFC 6750, 3.1: what was not sent at all is no error.
  const challenge = why === 'missing' ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`
  return new RequestProblem('unauthenticated', detail, HOW_TO_SEND, { 'www-authenticate': challenge })
}

const CHALLENGE = 'Bearer realm="pm-parking-events"'
const HOW_TO_SEND = 'Send an API key or a JWT as "Authorization: Bearer …", or an API key as "X-Api-Key"'

/** @throws RequestProblem when it was one too many. */
function count(limit: RateLimit, client: string, reply: FastifyReply): void {
  const left = limit.count(client)
  if (left < 0) throw tooMany(limit)
  reply.header('x-ratelimit-limit', limit.most).header('x-ratelimit-remaining', left).header('x-ratelimit-reset', 1)
}

const tooMany = ({ most }: RateLimit) =>
  new RequestProblem('too-many-requests', `This client may make ${most} requests a second`, 'Wait a second', {
    'x-ratelimit-limit': String(most),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': '1',
    'retry-after': '1',
  })

function assertMay({ scopes, zones }: Caller, scope: Scope): void {
  if (!scopes.has(scope)) throw forbidden(scope)
  // They count what is looked up and parked anywhere: by them one could tell what there is in other zones.
  if (scope === 'metrics:read' && zones !== null) {
    throw new RequestProblem('forbidden', 'Metrics are of all zones', 'Ask with credentials that are for all zones')
  }
}

export const forbidden = (scope: Scope) =>
  new RequestProblem(
    'forbidden',
    `The scope ${scope} is needed`,
    'Ask whoever gave you the credentials for that scope',
    { 'www-authenticate': `${CHALLENGE}, error="insufficient_scope", scope="${scope}"` },
  )

/** Two keys at once are none: joined, they fit to nothing. */
export function credentialsIn({ authorization, 'x-api-key': key }: FastifyRequest['headers']): CredentialHeaders {
  return { authorization, 'x-api-key': Array.isArray(key) ? key.join() : key }
}
