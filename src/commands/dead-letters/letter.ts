import type { IHeaders, KafkaMessage } from 'kafkajs'
import { DEAD_LETTER_HEADERS } from '../../contract/dead-letter.ts'

/** What `list` keeps of a dead letter: no key, no value. */
export interface Letter {
  readonly partition: number
  readonly offset: string
  /** When it was written, ISO 8601. */
  readonly time: string
  readonly reason: string
  readonly message: string
  /** Where the record came from, as far as its headers say. */
  readonly source: { topic: string | null; partition: number | null; offset: string | null; timestamp: string | null }
  /** Parts that are not as they were, with what was done to them: `tokenised` or `withheld`. */
  readonly altered: { readonly key?: string; readonly value?: string; readonly headers?: string }
  /** How often the record has been replayed. */
  readonly replays: number
  /** `topic/partition/offset` where the record stood first, before any replay. */
  readonly origin: string
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The bytes as text, or null when they are no UTF-8 text. */
export function asText(bytes: Buffer): string | null {
  try {
    return UTF8.decode(bytes)
  } catch {
    return null
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
const STEERING = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g

/** Text that is safe on a terminal: what could steer it, or turn the direction of writing, is written out. */
export const printable = (text: string): string =>
  text.replace(STEERING, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** A header as text; bytes that are no text are given in hex, and of several values the first. */
export function headerText(headers: IHeaders | undefined, name: string): string | null {
  const header = headers?.[name]
  const first = Array.isArray(header) ? header[0] : header
  if (first === undefined) return null
  return Buffer.isBuffer(first) ? (asText(first) ?? `0x${first.toString('hex')}`) : first
}

const wholeOrNull = (text: string | null): number | null => (text !== null && /^\d+$/.test(text) ? Number(text) : null)

const isoOrNull = (text: string | null): string | null => {
  const date = text !== null && /^\d{1,15}$/.test(text) ? new Date(Number(text)) : null
  return date === null ? null : date.toISOString()
}

function alteredOf(of: (name: 'key' | 'value' | 'headers') => string | null): Letter['altered'] {
  const parts = (['key', 'value', 'headers'] as const).map((name) => [name, of(name)] as const)
  return Object.fromEntries(parts.filter(([, how]) => how !== null))
}

export function toLetter(partition: number, { offset, timestamp, headers }: KafkaMessage): Letter {
  const of = (name: keyof typeof DEAD_LETTER_HEADERS) => headerText(headers, DEAD_LETTER_HEADERS[name])
  return {
    partition,
    offset,
    time: new Date(Number(timestamp)).toISOString(),
    reason: of('reason') ?? 'unknown',
    message: of('message') ?? '',
    source: {
      topic: of('topic'),
      partition: wholeOrNull(of('partition')),
      offset: of('offset'),
      timestamp: isoOrNull(of('timestamp')),
    },
    altered: alteredOf(of),
    replays: wholeOrNull(of('replays')) ?? 0,
    origin: of('origin') ?? ['topic', 'partition', 'offset'].map((part) => of(part as 'topic') ?? '?').join('/'),
  }
}

/** `topic partition:offset` of the source, or what is known of it. */
export const sourceText = ({ source }: Letter): string =>
  source.topic === null ? 'unknown source' : `${source.topic} ${source.partition ?? '?'}:${source.offset ?? '?'}`

/** Counts by name, in one line. */
export const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${printable(name)} ${count}`)
    .join(', ')
