import { isUtf8 } from 'node:buffer'
import { textWithoutCards, withoutCardData } from './cards.ts'
import { decode } from './decode.ts'
import { type Fields, type InputRecord, idText, isFields, type ModelSettings, type Value } from './input.ts'
import { type Content, type Facts, factsIn, type Meaning, meaningOf } from './meaning.ts'
import { timeOf } from './times.ts'

export type Understood =
  | { is: 'content'; id: string; content: Content; meaning: Meaning; facts: Facts; time: number | null }
  | { is: 'tombstone'; id: string }
  | { is: 'dead letter'; reason: string }

const dead = (reason: string): Understood => ({ is: 'dead letter', reason })

/** What one record says by itself. */
export async function understand(record: InputRecord, settings: ModelSettings): Promise<Understood> {
  const { key, value, topic } = record
  const { tokenKey, schemas } = settings
  if (value === null) {
    const id = keyText(key, tokenKey)
    return id === null ? dead('missing_event_id') : { is: 'tombstone', id }
  }
  const decoded = await decode(value, schemas)
  if ('reason' in decoded) return dead(decoded.reason)
  const fields = decoded.value
  if (!isFields(fields)) return dead('not_an_object')
  if (depthOf(fields) > 100) return dead('too_deep')
  if (hasNulInKey(fields)) return dead('nul_in_key')
  const clean = withoutCardData(fields, tokenKey) as Fields
  const stated = clean.event_id ?? ''
  const isBlank = typeof stated === 'string' && stated.trim() === ''
  const id = isBlank ? keyText(key, tokenKey) : idText(stated)
  if (id === null) return dead(isBlank ? 'missing_event_id' : 'invalid_field')
  const isEvent = settings.eventsTopics.includes(topic)
  const content = contentOf(clean, isEvent)
  const meaning = meaningOf(clean, content.http_status)
  const identifying = [id, meaning.sessionId, meaning.zoneId, meaning.eventType, meaning.status, content.card]
  if (identifying.some(isTooLong)) return dead('field_too_long')
  return { is: 'content', id, content, meaning, facts: factsIn(content, isEvent), time: timeOf(clean.timestamp) }
}

function keyText(key: Buffer | null, tokenKey: string | null): string | null {
  if (key === null || key.length === 0 || !isUtf8(key)) return null
  return textWithoutCards(key.toString('utf8'), tokenKey)
}

function contentOf(record: Fields, isEvent: boolean): Content {
  const { event_id: _id, card, http_status, payload, user_id, ...rest } = record
  const content: Content = {}
  if (card !== undefined) content.card = card
  if (http_status !== undefined) content.http_status = statusNumber(http_status)
  if (payload !== undefined) content.payload = payload
  if (user_id !== undefined) content.user_id = user_id
  if (isEvent) {
    content.http_status ??= http_status === null ? null : 200
    content.response = rest
  } else if (rest.response !== undefined) content.response = rest.response
  return content
}

/** Numeric strings become numbers, other strings stay. */
const statusNumber = (status: Value): Value =>
  typeof status === 'string' && /^\d+$/.test(status) ? Number(status) : status

const isTooLong = (field: Value | undefined) => typeof field === 'string' && Buffer.byteLength(field) > 1024

function depthOf(value: Value): number {
  if (value === null || typeof value !== 'object') return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

function hasNulInKey(value: Value): boolean {
  if (value === null || typeof value !== 'object') return false
  return Object.entries(value).some(([key, inner]) => key.includes('\0') || hasNulInKey(inner))
}
