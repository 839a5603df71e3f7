import type { TrafficRecord } from './event.ts'

/** What all these records, in this order, must leave behind: a plain model of the program, for the count at the end. */
export function expected(topics: Iterable<TrafficRecord>[]): { documents: number; updates: number } {
  const ids = new Set<string>()
  const heads = new Map<string, string>()
  let updates = 0
  for (const records of topics) {
    for (const { key, value } of records) {
      ids.add(value.event_id)
      const head = `${key} ${value.event_type.startsWith('payment') ? 'payment' : 'session'}`
      const order = `${value.timestamp} ${value.event_id}`
      if (order <= (heads.get(head) ?? '')) continue
      heads.set(head, order)
      updates++
    }
  }
  return { documents: ids.size, updates }
}
