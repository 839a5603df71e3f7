import type { Category, Encoding, TrafficRecord } from './traffic-record.ts'

/** What a run produced, so that a reader of the topics can know what to expect. */
export interface Summary {
  records: number
  byTopic: Record<string, number>
  byCategory: Record<Category, number>
  byEncoding: Record<Encoding, number>
  /** By event type or endpoint. */
  byLabel: Record<string, number>
  sessions: number
  /** Records whose partition was not left to their key. */
  placed: number
  bytes: number
  /** Simulated time of the first and the last record, ISO 8601; null without records. */
  from: string | null
  to: string | null
}

export function createSummary(): { count(topic: string, record: TrafficRecord): void; read(): Summary } {
  const byTopic: Summary['byTopic'] = {}
  const byCategory: Summary['byCategory'] = { ordinary: 0, duplicate: 0, late: 0, malformed: 0, tombstone: 0 }
  const byEncoding: Summary['byEncoding'] = { json: 0, avro: 0 }
  const byLabel: Summary['byLabel'] = {}
  let records = 0
  let sessions = 0
  let placed = 0
  let bytes = 0
  let first = Number.NaN
  let last = Number.NaN
  return {
    count(topic, record) {
      if (records === 0) first = record.at
      last = record.at
      records++
      byTopic[topic] = (byTopic[topic] ?? 0) + 1
      byCategory[record.category]++
      byLabel[record.label] = (byLabel[record.label] ?? 0) + 1
      if (record.opens) sessions++
      if (record.value) byEncoding[record.encoding]++
      if (record.place !== null) placed++
      bytes += record.value?.length ?? 0
    },
    read() {
      const time = (at: number) => (Number.isNaN(at) ? null : new Date(at).toISOString())
      const counts = { records, byTopic, byCategory, byEncoding, byLabel, sessions, placed, bytes }
      return { ...counts, from: time(first), to: time(last) }
    },
  }
}
