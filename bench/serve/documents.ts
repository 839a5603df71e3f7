/** The documents that are asked for, as ingest would have stored them. */
import type { Collection } from 'mongodb'
import type { CacheDocument } from '../../src/contract/document.ts'
import { orderOf } from '../../src/contract/order.ts'
import { ensureIndexes, INDEXES_OF_SERVE } from '../../src/documents/indexes.ts'

/** Events of one card. */
export const PER_CARD = 10

const DAY_MS = 86_400_000
const BATCH = 5_000

export async function store(collection: Collection<CacheDocument>, count: number): Promise<void> {
  await ensureIndexes(collection)
  await ensureIndexes(collection, INDEXES_OF_SERVE)
  for (let from = 0; from < count; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => documentOf(from + i))
    await collection.insertMany(batch, { ordered: false })
  }
}

export const eventPath = '/v1/events/event-{}'
export const cardPath = '/v1/events?card=card_{}'

function documentOf(number: number): CacheDocument {
  const at = Date.now() - 1_000 * (number % 86_400)
  const time = new Date(at)
  const source = { topic: 'parkmobile.events', partition: number % 12, offset: String(number) }
  return {
    _id: `event-${number}`,
    card: `card_${Math.floor(number / PER_CARD)}`,
    http_status: 200,
    response: {
      event_type: 'parking_start',
      zone_id: `9539${number % 900}`,
      session_data: {
        session_id: `IC${number}N`,
        start_time: time.toISOString(),
        end_time: new Date(at + 3_600_000).toISOString(),
        license_plate: `ABC${number % 10_000}`,
        duration_minutes: 60,
        amount: 3.35,
        currency: 'USD',
      },
      timestamp: time.toISOString(),
      status: 'success',
    },
    createdAt: time,
    updatedAt: time,
    cache: {
      kind: 'session',
      status: 'on-going',
      sessionId: `IC${number}N`,
      observedAt: time,
      order: orderOf(at, 'on-going', source),
      source: { ...source, offset: number },
      expiresAt: new Date(at + 90 * DAY_MS),
    },
  }
}
