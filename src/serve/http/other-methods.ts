/** 405 for methods that a resource does not have. */
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { RequestProblem } from './problems.ts'

/** Those that somebody may try; of the rest there is nothing to be found. */
const METHODS: readonly HTTPMethods[] = ['DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']

/** To be called before the routes are added; what it returns adds the refusals, after them. */
export function refuseOtherMethods(server: FastifyInstance): () => void {
  const methods = new Map<string, Set<string>>()
  server.addHook('onRoute', ({ url, method, config }) => {
    // Ours say what they need; files of pages, which do not, are simply not found by other methods.
    if (config?.scope === undefined) return
    const known = methods.get(url) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    methods.set(url, known)
  })
  return () => {
    for (const [url, own] of [...methods]) {
      // What is not to be read itself may still be the id of an event: `/v1/events/query`.
      const allowed = own.has('GET') ? own : new Set([...own, 'GET', 'HEAD'])
      const allow = [...allowed].sort().join(', ')
      const refuse = () => {
        throw new RequestProblem('method-not-allowed', undefined, 'See /docs', { allow })
      }
      server.route({
        ...{ url, method: METHODS.filter((one) => !allowed.has(one)) },
        ...{ config: { scope: null }, schema: { hide: true } },
        // Before any body is read.
        ...{ onRequest: refuse, handler: refuse },
      })
    }
  }
}
