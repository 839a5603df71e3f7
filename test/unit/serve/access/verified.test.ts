import { expect, test } from '@jest/globals'
import type { Caller } from '../../../../src/serve/access/caller.ts'
import { createVerified } from '../../../../src/serve/access/verified.ts'

const caller = (id: string, expiresAt: number | null = null): Caller => ({
  id,
  scopes: new Set(),
  zones: null,
  expiresAt,
})

test('what is unused goes first, and no more than the most is kept', () => {
  const verified = createVerified(() => 0, 4)
  verified.add('used', caller('used'))
  for (let i = 0; i < 100; i++) {
    verified.add(`unused-${i}`, caller(`unused-${i}`))
    expect(verified.find('used')?.id).toBe('used')
  }
  const kept = Array.from({ length: 100 }, (_, i) => `unused-${i}`).filter((token) => verified.find(token) !== null)
  expect(kept.length).toBeGreaterThan(0)
  expect(kept.length).toBeLessThan(4)
  expect(kept).toContain('unused-99')
})

test('nothing is found once it has expired, or five minutes after it was found good', () => {
  let now = 0
  const verified = createVerified(() => now)
  verified.add('short', caller('short', 1_000))
  verified.add('long', caller('long', 10_000_000))
  now = 999
  expect(verified.find('short')?.id).toBe('short')
  now = 1_000
  expect(verified.find('short')).toBeNull()
  now = 299_999
  expect(verified.find('long')?.id).toBe('long')
  now = 300_000
  expect(verified.find('long')).toBeNull()
})
