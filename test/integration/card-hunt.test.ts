import { expect, test } from '@jest/globals'
import { huntForCards } from '../support/card-hunt.ts'
import { freshServices } from '../support/services.ts'

test('no card number is left anywhere, and few others are taken for one', async () => {
  await using services = await freshServices({ registry: true })
  const hunt = await huntForCards(services, 7_000, 'a hunt')
  expect([...new Set(hunt.found)]).toEqual([])
  expect(hunt.cards).toBeGreaterThan(6_900)
  expect(hunt.avro).toBeGreaterThan(3_500)
  expect(hunt.avroDocuments).toBeGreaterThan(2_500)
  for (const where of ['documents', 'oplog', 'metrics', 'headers', 'dead-letters', 'status', 'observations'])
    expect([where, hunt.searched[where] ?? 0]).toEqual([where, expect.any(Number)])
  expect(hunt.searched.documents).toBeGreaterThan(1e6)
  expect(hunt.ids).toBeGreaterThan(3_000)
  expect(hunt.harmed / hunt.ids).toBeLessThan(0.03)
}, 300_000)
