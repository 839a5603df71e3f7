import type { Reject } from '../contract/dead-letter.ts'
import type { CacheContent } from '../contract/document.ts'
import type { JsonObject } from '../contract/record.ts'
import { readHttpStatus } from './http-status.ts'
import { faultOf, textOfId } from './identifiers.ts'
import { reject } from './reject.ts'

/** What an event and a response have in common: card, http_status, payload and user_id. Absent stays absent. */
export function commonContent(record: JsonObject): CacheContent | Reject {
  const content: CacheContent = {}
  const { card, http_status, payload, user_id } = record
  if (card !== undefined) {
    const text = readCard(card)
    if (text !== null && typeof text === 'object') return text
    content.card = text
  }
  if (http_status !== undefined) {
    const status = readHttpStatus(http_status)
    if (status !== null && typeof status === 'object') return status
    content.http_status = status
  }
  if (payload !== undefined) content.payload = payload
  if (user_id !== undefined) content.user_id = user_id
  return content
}

/** Readers type the field String and look documents up by it; a numeric reference becomes its decimal text. */
function readCard(card: JsonObject[string]): string | null | Reject {
  if (card === null) return null
  const text = typeof card === 'string' ? card : textOfId(card)
  return text === null
    ? reject('invalid_field', 'card is neither text nor an integer. Send the reference or mask as text.')
    : (faultOf('card', text) ?? text)
}
