import type { RecordType } from '../contract/record.ts'

/** A record before it has bytes. `undefined` fields are absent. */
export type Body = { [field: string]: unknown }

/** What a record is doing in the traffic; the summary counts by it. */
export type Category = 'ordinary' | 'duplicate' | 'late' | 'malformed' | 'tombstone'

export type Encoding = 'json' | 'avro'

/** One record as it goes to Kafka. */
export interface TrafficRecord {
  type: RecordType
  category: Category
  /** The event type, or the endpoint without its ids. */
  label: string
  /** First record of a session that came in order. */
  opens: boolean
  encoding: Encoding
  /** Simulated time of delivery, epoch milliseconds. */
  at: number
  key: string | null
  value: Buffer | null
  /** Fixed share in [0, 1) of the partitions, where the key does not decide; null: the default partitioner does. */
  place: number | null
}

/** Makes Confluent wire format of a body, by the schema in `schemas/`. */
export type AvroEncoder = (type: RecordType, body: Body) => Buffer

export interface Shares {
  duplicates: number
  late: number
  malformed: number
  tombstones: number
  /** Of the records of a session: delivered on another partition than the others. */
  spread: number
}

export interface TrafficOptions {
  seed: string
  /** Simulated time of the first record, epoch milliseconds. */
  start: number
  /** Average records per simulated second. */
  pace: number
  /** Busy by day and quiet at night (true), or even (false). */
  dayCurve: boolean
  encoding: Encoding | 'mixed'
  shares: Shares
}
