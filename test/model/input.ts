/**
 * An independent model of the program: from the records that went in, it says what must come out. It is written from
 * the design alone (sections 2 and 3), shares no code with `src`, and prefers the plain way to the fast one.
 */

/** A record of an input topic, as a judge read it. */
export interface InputRecord {
  topic: string
  partition: number
  offset: number
  /** Kafka's, epoch milliseconds. */
  timestamp: number
  key: Buffer | null
  value: Buffer | null
}

export interface ModelSettings {
  eventsTopics: string[]
  retentionMs: number
  maxClockSkewMs: number
  /** Null: card numbers are masked. */
  tokenKey: string | null
  /** Schemas by id; null: no registry is set. */
  schemas: SchemaSource | null
  /** What has expired before this has expired on arrival. Epoch milliseconds. */
  now: number
}

/** The Avro schema of an id, parsed; undefined when the registry does not know it. */
export type SchemaSource = (id: number) => Promise<unknown>

/** A number that neither a double nor 64 bits can hold. */
export class Decimal {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Value = null | boolean | number | bigint | Decimal | string | Value[] | { [field: string]: Value }
export type Fields = { [field: string]: Value }

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal)

/** `topic/partition/offset`. */
export const positionOf = ({
  topic,
  partition,
  offset,
}: {
  topic: string
  partition: number
  offset: number | string
}) => `${topic}/${partition}/${offset}`

/** Ids as text; numbers keep their decimal text, and blanks are none. */
export function idText(value: Value | undefined): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value
  if (value instanceof Decimal && /^-?\d+$/.test(value.text)) return value.text
  return typeof value === 'bigint' || Number.isInteger(value) ? String(value) : null
}
