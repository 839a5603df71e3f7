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

/** A number whose value no double and no 64-bit integer has; BSON has a type that keeps it. */
export class Decimal {
  /** `<sign><digits>E<exponent>`. */
  readonly text: string
  readonly digits: string
  readonly exponent: number
  /** @param digits at most 34, without zeros at either end. @param exponent of the last of them. */
  constructor(sign: '' | '-', digits: string, exponent: number) {
    this.text = `${sign}${digits}E${exponent}`
    this.digits = digits
    this.exponent = exponent
  }
}

/** Any decoded value; integers beyond 2^53 are bigint, and what a double cannot hold is Decimal, so that they keep their value. */
export type Json = null | boolean | number | bigint | Decimal | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
