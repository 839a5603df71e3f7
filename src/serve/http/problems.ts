/** Errors as RFC 9457 has them: `application/problem+json`, each with a type of its own and what to do about it. */
import type { FastifyReply } from 'fastify'
import type { Problem } from '../../contract/api.ts'

const TYPES = {
  'bad-request': [400, 'The request is not right'],
  'card-number-in-url': [400, 'A card number must not stand in a URL'],
  unauthenticated: [401, 'Credentials are needed'],
  forbidden: [403, 'These credentials do not allow this'],
  'foreign-host': [403, 'This server answers to its own name only'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'This method is not for this resource'],
  timeout: [408, 'The request took too long to come'],
  'cards-are-masked': [409, 'Card numbers are masked and cannot be looked up'],
  gone: [410, 'It was invalidated'],
  'too-large': [413, 'The request is too large'],
  'uri-too-long': [414, 'The address is too long'],
  'unsupported-media-type': [415, 'Send JSON'],
  'too-many-requests': [429, 'Too many requests'],
  'headers-too-large': [431, 'The headers are too large'],
  internal: [500, 'The server made a mistake'],
  unavailable: [503, 'A store does not answer'],
} as const satisfies Record<string, [number, string]>

export type ProblemType = keyof typeof TYPES

/** A request that cannot be answered: thrown anywhere below a route, told by its error handler. */
export class RequestProblem extends Error {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>

  constructor(type: ProblemType, detail?: string, remedy?: string, headers: Record<string, string> = {}) {
    const [status, title] = TYPES[type]
    super(detail ?? title)
    this.problem = { type: `/problems/${type}`, title, status, ...(detail && { detail }), ...(remedy && { remedy }) }
    this.headers = headers
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Kept by nobody: who asks again may have other credentials, or meet other data. */
export function sendProblem(reply: FastifyReply, { problem, headers }: RequestProblem): FastifyReply {
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .headers(headers)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem))
}
