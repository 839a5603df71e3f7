/** What a release wrote, as `test/unit/released/<version>.json` keeps it; bytes are in base64. */
export interface Kept {
  version: string
  statusTopic: string
  /** Files of STATE_DIR by their path in it. */
  heads: Record<string, string>
  observations: KeptRecord[]
  updates: KeptRecord[]
  deadLetters: KeptRecord[]
  /** BSON. */
  documents: string[]
  /** Of those documents that are no tombstone, what `GET /v1/events/:id` gave, by id. */
  views: Record<string, Record<string, unknown>>
  /** An id of a server-sent event. */
  position: string
  /** `before` of a next page. */
  cursor: string
  /** Of a key, as `serve --make-key` printed it. */
  entry: unknown
}

export interface KeptRecord {
  partition: number
  offset: string
  timestamp: string
  key: string
  value: string
  headers: Record<string, string>
}

/** Secrets for these files alone, and what they were made with. */
export const KEPT_SETTINGS = {
  CARD_TOKEN_KEY: 'a key for kept files, of no other use',
  ENCRYPT_PATHS: 'response.session_data.license_plate,response.lpn',
  ENCRYPT_KEY: `kept:${Buffer.alloc(32, 7).toString('base64')}`,
  RETENTION_DAYS: '36500',
  HTTP_PORT: '0',
}
