import type { Reject } from '../contract/dead-letter.ts'
import type { CacheContent } from '../contract/document.ts'
import type { JsonObject } from '../contract/record.ts'
import { commonContent } from './content.ts'
import { isReject } from './reject.ts'

/**
 * `{ card, http_status, response }`, the response exactly as it came (but for card data). What describes the call
 * (`endpoint`, `method`, `duration_ms`, `timestamp`) is no part of the document.
 */
export function responseContent(record: JsonObject): CacheContent | Reject {
  const content = commonContent(record)
  if (isReject(content)) return content
  if (record.response !== undefined) content.response = record.response
  return content
}
