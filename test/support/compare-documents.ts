import { Binary, Decimal128, Long } from 'mongodb'
import type { CacheContent } from '../../src/contract/document.ts'
import { readBack } from '../../src/documents/read-back.ts'
import { factsOf } from '../../src/normalize/facts.ts'
import { Decimal, type ModelSettings } from '../model/input.ts'
import { documentOf, type Model } from '../model/model.ts'
import { canonical } from './decimal.ts'
import { createDifferences, type Differences, diff, show } from './differences.ts'

/** Compares every document of a collection with the model, field by field; field order does not matter. */
export async function compareDocuments(
  stored: AsyncIterable<Record<string, unknown>>,
  model: Model,
  settings: ModelSettings,
): Promise<Differences> {
  const differences = createDifferences(['documents missing', 'documents too many', 'documents that differ'])
  const seen = new Set<string>()
  for await (const document of stored) {
    const id = String(document._id)
    const state = model.documents.get(id)
    seen.add(id)
    if (state === undefined) {
      differences.add('documents too many', () => show(document))
      continue
    }
    // Which of two is first without a time of its own depends on the order of two partitions.
    if (state.timeless && state.partition === null) continue
    const expected = await documentOf(id, state, settings)
    const lines = diff(plain(expected), comparable(document))
    if (lines.length > 0) differences.add('documents that differ', () => `${id}\n    ${lines.join('\n    ')}`)
  }
  for (const [id, { holder }] of model.documents) {
    if (!seen.has(id)) differences.add('documents missing', () => `${id}, of ${show(holder)}`)
  }
  return differences
}

/** As the model says it: without the order keys, whose text is the program's own affair. */
function comparable(document: Record<string, unknown>): unknown {
  const { cache, ...rest } = plain(document) as { cache: Record<string, unknown> }
  const { lastSuccess: stored } = document.cache as { lastSuccess?: CacheContent }
  const { kind, status, sessionId, observedAt, source, expiresAt, lastSuccess, erased } = cache
  const { order: _order, ...success } = (lastSuccess ?? {}) as Record<string, unknown>
  return {
    ...rest,
    facts: factsIn(document),
    cache: {
      ...{ kind, status, sessionId, observedAt, source, expiresAt, erased: erased !== undefined },
      ...(stored !== undefined && { lastSuccess: { ...success, facts: factsIn(stored) } }),
    },
  }
}

const factsIn = (document: object) =>
  plain(
    Object.fromEntries(Object.entries(factsOf(readBack(document) as CacheContent)).filter(([, fact]) => fact !== null)),
  )

/** BSON's types as plain values: dates in epoch milliseconds, 64-bit integers as number where that is exact. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  if (Long.isLong(value)) return plain((value as Long).toBigInt())
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value instanceof Decimal) return canonical(value.text)
  if (value instanceof Decimal128) return canonical(`${value}`)
  if (value instanceof Binary) return `${value}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]))
}
