import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const MODEL = join(import.meta.dirname, '../../model')

test('the model imports nothing but itself and Node', () => {
  for (const file of readdirSync(MODEL)) {
    const imported = readFileSync(join(MODEL, file), 'utf8').matchAll(/from '([^']+)'/g)
    for (const [, name] of imported) expect(name).toMatch(/^(\.\/[a-z-]+\.ts|node:.*)$/)
  }
})
