import { expect } from '@jest/globals'
import type { RawAnswer } from './raw-http.ts'

/** It is an error as all are, with nothing of the program's inside, and with the headers of every answer. */
export function expectProblem(answer: RawAnswer, status: number): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json; charset=utf-8'])
  expect(answer.headers['cache-control']).toBe('no-store')
  const { type, title, status: told, ...more } = answer.body
  expect(type).toMatch(/^\/problems\/[a-z-]+$/)
  expect([typeof title, told]).toEqual(['string', status])
  for (const name of Object.keys(more)) expect(['detail', 'remedy']).toContain(name)
  expect(answer.text).not.toMatch(/\bat .*:\d+:\d+|node_modules|\.[jt]s\b|FST_|Error:/)
  expectGuarded(answer)
}

/** The headers of every answer: it guards itself, and no other origin reads it. */
export function expectGuarded({ headers }: RawAnswer): void {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
  })
  const policy = String(headers['content-security-policy'])
  expect(policy).toMatch(/^default-src 'none';.*frame-ancestors 'none'/)
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  for (const name of Object.keys(headers)) {
    expect(name).not.toMatch(/^access-control-|^server$|^x-powered-by$|^strict-transport-security$|^set-cookie$/)
  }
}
