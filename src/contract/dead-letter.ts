/** Why a record could not be taken. A closed list: it is a metric label. */
export const DEAD_LETTER_REASONS = [
  'empty_value', //         value of no bytes
  'invalid_utf8',
  'invalid_json',
  'no_registry', //         first byte 0, but SCHEMA_REGISTRY_URL is not set
  'unknown_schema', //      the registry does not know the schema id
  'undecodable', //         the bytes do not fit their schema
  'not_an_object',
  'missing_event_id',
  'field_too_long', //      an identifying field over 1 KiB
  'invalid_field', //       an identifying field of a type or content that cannot be an identifier
  'too_deep',
  'nul_in_key',
  'number_out_of_range', // a number that no BSON type keeps exactly
  'ill_formed_text', //     half a surrogate pair, which UTF-8 cannot hold
  'too_large',
  'unstorable', //          MongoDB refused this document
  'unexpected', //          a bug of ours: the record made the program throw
  'invalid_observation', // a message in the observations topic that is not a pack of ours
] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** Header names of a dead letter. The original key, value and headers stand beside them byte for byte, but for card data. */
export const DEAD_LETTER_HEADERS = {
  reason: 'dead_letter_reason',
  message: 'dead_letter_message',
  topic: 'dead_letter_source_topic',
  partition: 'dead_letter_source_partition',
  offset: 'dead_letter_source_offset',
  /** Kafka timestamp of the source record, epoch milliseconds. A replayed record still has it, and ingest takes it for its own. */
  timestamp: 'dead_letter_source_timestamp',
  /** `tokenised` or `withheld` (its digest stands for it), when the key is not the original one. */
  key: 'dead_letter_key',
  /** The same of the headers; those withheld are missing. */
  headers: 'dead_letter_headers',
  /** Set when the value is withheld or altered: `sha256:<hex>` of the original value. */
  digest: 'dead_letter_value_digest',
  /** `tokenised` or `withheld`, when the value is not the original one. */
  value: 'dead_letter_value',
  /** How often the record was sent back to its source; a replayed record has it too. */
  replays: 'dead_letter_replays',
  /** `topic/partition/offset` where a replayed record stood first. */
  origin: 'dead_letter_origin',
} as const

const NAMES: ReadonlySet<string> = new Set(Object.values(DEAD_LETTER_HEADERS))

/** Whether a header is one of these, and not the record's own. */
export const isDeadLetterHeader = (name: string): boolean => NAMES.has(name)

/** The outcome of a record that becomes a dead letter. `message` names the thing and the remedy, without record data. */
export interface Reject {
  readonly reject: DeadLetterReason
  readonly message: string
}
