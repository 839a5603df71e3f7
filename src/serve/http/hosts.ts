/** Under which names this server answers. */
import type { FastifyInstance } from 'fastify'
import { RequestProblem } from './problems.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i

/** RFC 9112, 3.2: who speaks HTTP/1.1 says whom they speak to. */
export function requireHosts(server: FastifyInstance): void {
  server.addHook('onRequest', ({ raw: { headers, httpVersion } }, _, done) => {
    if (headers.host === undefined && httpVersion === '1.1') {
      throw new RequestProblem('bad-request', 'A request must have a Host header')
    }
    done()
  })
}

/**
 * Where nobody needs credentials, a page of anywhere could have a browser on this machine ask here, under a name of its own that
 * leads to loopback: only loopback's own names are answered. X-Forwarded-Host is anybody's to write, and is not looked at.
 */
export function refuseForeignHosts(server: FastifyInstance): void {
  server.addHook('onRequest', ({ raw: { headers, url = '' } }, _, done) => {
    // A request may name its whole address, and that then counts beside the header.
    const [, authority = ''] = url.startsWith('/') ? [] : (ABSOLUTE.exec(url) ?? [])
    if (!LOOPBACK.test(headers.host ?? '') || (authority !== '' && !LOOPBACK.test(authority))) {
      const why = 'Without credentials it answers to localhost, 127.0.0.1 and [::1] only'
      throw new RequestProblem('foreign-host', why, 'Set AUTH_KEYS_FILE or JWT_ISSUER, or ask by one of these names')
    }
    done()
  })
}
