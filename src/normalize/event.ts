import type { Reject } from '../contract/dead-letter.ts'
import type { CacheContent } from '../contract/document.ts'
import type { JsonObject } from '../contract/record.ts'
import { commonContent } from './content.ts'
import { put } from './put.ts'
import { isReject } from './reject.ts'

/** Fields of an event that its document has at the top, and not within `response`. */
const TOP = new Set(['event_id', 'card', 'http_status', 'payload', 'user_id'])
/** These stand first in `response`, in this order. */
const FIRST = ['event_type', 'zone_id', 'session_data', 'timestamp', 'status'] as const

/** An event's http_status when it names none: what happened, happened. */
const DEFAULT_HTTP_STATUS = 200

/** `{ card, http_status, response: { event_type, zone_id, session_data, timestamp, status, …rest } }`. */
export function eventContent(record: JsonObject): CacheContent | Reject {
  const content = commonContent(record)
  if (isReject(content)) return content
  if (content.http_status === undefined) content.http_status = DEFAULT_HTTP_STATUS
  const response: JsonObject = {}
  for (const name of FIRST) {
    const value = record[name]
    if (value !== undefined) response[name] = value
  }
  for (const key in record) {
    const value = record[key]
    if (value !== undefined && !TOP.has(key) && !(FIRST as readonly string[]).includes(key)) put(response, key, value)
  }
  content.response = response
  return content
}
