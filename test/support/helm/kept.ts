import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from '@jest/globals'

/** Compares with a file of the checkout; with UPDATE_GOLDEN set the file becomes that. */
export function expectKept(path: string, text: string): void {
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text)
  const kept = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (kept !== text) process.stdout.write('If it is meant so: UPDATE_GOLDEN=1 npm test -- test/unit/helm\n')
  expect(text).toBe(kept)
}
