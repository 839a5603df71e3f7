import { expect, test } from '@jest/globals'
import { huntForCards } from '../support/card-hunt.ts'
import { freshServices } from '../support/services.ts'

test('no card number is left anywhere, and few others are taken for one', async () => {
  await using services = await freshServices()
  const hunt = await huntForCards(services, 6_200, 'a hunt')
  expect(hunt.found).toEqual([])
  expect(hunt.cards).toBeGreaterThan(6_000)
  for (const where of ['documents', 'oplog', 'metrics', 'headers', 'dead-letters', 'status', 'observations'])
    expect([where, hunt.searched[where] ?? 0]).toEqual([where, expect.any(Number)])
  expect(hunt.searched.documents).toBeGreaterThan(1e6)
  expect(hunt.ids).toBeGreaterThan(3_000)
  expect(hunt.harmed / hunt.ids).toBeLessThan(0.03)
}, 300_000)
