/** What becomes of errors, wherever they come up. No answer quotes the request: it may hold what must stand nowhere. */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { StillReading } from '../live/live.ts'
import { StoreFailure } from '../look-up.ts'
import { CACHE_STATUS_OF_ERROR } from './cache-status.ts'
import { PROBLEM_TYPE, RequestProblem, sendProblem } from './problems.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Of requests that no route has seen: their paths cannot be read. */
export function answerBadPath(error: FastifyError, _: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply.headers(SECURITY_HEADERS), problemOf(error) ?? new RequestProblem('bad-request'))
}

export function tellErrors(server: FastifyInstance, log: Logger): void {
  server.setNotFoundHandler((_, reply) => sendProblem(reply, NOT_FOUND))
  server.setErrorHandler((error: FastifyError | RequestProblem | Error, request, reply) => {
    const problem = error instanceof RequestProblem ? error : problemOf(error as FastifyError)
    if (problem) return sendProblem(reply, problem)
    if (error instanceof StoreFailure) {
      reply.header('cache-status', CACHE_STATUS_OF_ERROR)
      return sendProblem(reply, new RequestProblem('unavailable', error.message, 'Try again', { 'retry-after': '1' }))
    }
    if (error instanceof StillReading) {
      return sendProblem(
        reply,
        new RequestProblem('unavailable', error.message, 'Try again in a moment', { 'retry-after': '2' }),
      )
    }
    log.error({ err: error, route: request.routeOptions.url }, 'a request failed')
    return sendProblem(reply, new RequestProblem('internal', undefined, 'Tell the operator; the log has more'))
  })
}

const NOT_FOUND = new RequestProblem('not-found', 'There is no such resource', 'See /docs')
const OF_BODIES = 'A body must be JSON, with its type, and a length that is true'

/** What Fastify found wrong with a request; of its own words only those that quote nothing. */
function problemOf({ statusCode, code, validation, message }: FastifyError): RequestProblem | null {
  if (validation) return new RequestProblem('bad-request', message, 'See /docs')
  if (code === 'FST_ERR_BAD_URL') return new RequestProblem('bad-request', 'The path is not percent-encoded UTF-8')
  // Of files: outside of their directory there is nothing either.
  if (statusCode === 403 || statusCode === 404) return NOT_FOUND
  if (statusCode === 413) return new RequestProblem('too-large', 'The body is too long')
  if (statusCode === 414) return new RequestProblem('uri-too-long', 'A part of the path is too long')
  if (statusCode === 415) return new RequestProblem('unsupported-media-type', 'Its type must be application/json')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new RequestProblem('bad-request', code?.startsWith('FST_ERR_CTP') ? OF_BODIES : undefined, 'See /docs')
  }
  return null
}

const LAST_WORDS_MS = 1_000

/** Of what is no HTTP, or comes too slowly: there is no request then, only a connection, which ends with the answer. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // An answer that was begun, such as a stream, would be broken by another in its midst.
  const { _httpMessage: begun } = socket as { _httpMessage?: { headersSent: boolean } }
  if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent) {
    socket.destroy()
    return
  }
  const { problem } = ofConnection(error)
  const body = JSON.stringify(problem)
  const headers = {
    ...SECURITY_HEADERS,
    'cache-control': 'no-store',
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}\r\n${body}`)
  // Who reads nothing keeps no connection.
  setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
}

function ofConnection({ code }: NodeJS.ErrnoException): RequestProblem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestProblem('timeout')
  if (code === 'HPE_HEADER_OVERFLOW') return new RequestProblem('headers-too-large', 'All of them, with the address')
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new RequestProblem('too-large')
  return new RequestProblem('bad-request', 'It is no HTTP')
}

/** An `Expect` that nobody knows is passed over, as it may be (RFC 9110, 10.1.1). */
export function passExpectationsOver({ server }: FastifyInstance): void {
  server.on('checkExpectation', (request: IncomingMessage, response) => server.emit('request', request, response))
}
