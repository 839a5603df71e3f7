/** Who asks, before anything else is done for them. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access, Caller, Refused, Scope } from '../access/access.ts'
import { RequestProblem } from './problems.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler runs. */
    caller: Caller
    /** Why there is no caller; what needs none goes on all the same. */
    refused: Refused | null
  }
  interface FastifyContextConfig {
    /** What a caller needs; null: nothing, not even to be known. */
    scope?: Scope | null
  }
}

const NOBODY: Caller = { id: 'nobody', scopes: new Set(), zones: new Set(), expiresAt: null }

/** Learns who asks; whether they may is asked by `requireScope`, after they have been counted. */
export function identifyCallers(server: FastifyInstance, access: Access): void {
  server.decorateRequest('caller', null as unknown as Caller)
  server.decorateRequest('refused', null)
  server.addHook('onRequest', async (request) => {
    const { authorization, 'x-api-key': apiKey } = request.headers
    const key = Array.isArray(apiKey) ? apiKey.join() : apiKey
    const outcome = await access.authenticate({ authorization, 'x-api-key': key })
    request.refused = 'refused' in outcome ? outcome : null
    request.caller = 'refused' in outcome ? NOBODY : outcome
  })
}

/** Counted by their credentials, and those without good ones by their address. */
export const clientOf = ({ caller, refused, ip }: FastifyRequest): string => (refused ? `address:${ip}` : caller.id)

const CHALLENGE = { 'www-authenticate': 'Bearer realm="pm-parking-events"' }

export function requireScope(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ refused, caller, routeOptions }) => {
    const { scope = null } = routeOptions.config
    if (scope === null) return
    if (refused?.refused === 'unavailable') throw new RequestProblem('unavailable', refused.detail)
    if (refused) throw new RequestProblem('unauthenticated', refused.detail, HOW_TO_SEND, CHALLENGE)
    if (!caller.scopes.has(scope)) throw forbidden(scope)
  })
}

export const forbidden = (scope: Scope) =>
  new RequestProblem('forbidden', `The scope ${scope} is needed`, 'Ask whoever gave you the credentials for that scope')

const HOW_TO_SEND = 'Send an API key or a JWT as "Authorization: Bearer …", or an API key as "X-Api-Key"'

/**
 * Where nobody needs credentials, a page of anywhere could have a browser on this machine ask here, under a name of its own that
 * leads to loopback: only loopback's own names are answered.
 */
export function refuseForeignHosts(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ hostname }) => {
    if (!LOOPBACK.test(hostname)) {
      const why = 'Without credentials it answers to localhost, 127.0.0.1 and [::1] only'
      throw new RequestProblem('foreign-host', why, 'Set AUTH_KEYS_FILE or JWT_ISSUER, or ask by one of these names')
    }
  })
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i
