/** What arrives from Kafka, before anything is known about it. */

/** `events` topics carry what happened at the kerb, `responses` topics what ParkMobile's API answered. */
export type RecordType = 'event' | 'response'

/** Where a record stands in Kafka. `offset` is decimal text, as Kafka clients give it. */
export interface Source {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

export type Headers = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>

export interface SourceRecord extends Source {
  /** Kafka timestamp, epoch milliseconds (LogAppendTime on the topics that the program makes). */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

/** Any decoded value; integers beyond 2^53 are bigint so that they keep their value. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
