import { isUtf8 } from 'node:buffer'
import type { Reject } from '../contract/dead-letter.ts'
import type { Json } from '../contract/record.ts'
import type { Cards } from './card-data.ts'
import { faultOf, textOfId } from './identifiers.ts'
import { reject } from './reject.ts'

/** `event_id` of a record: from its value, or else its key. */
export function eventIdOf(value: Json | undefined, key: Buffer | null, cards: Cards): string | Reject {
  const isBlank = typeof value === 'string' && value.trim() === ''
  if (value !== undefined && value !== null && !isBlank) {
    const id = textOfId(value)
    if (id === null) return reject('invalid_field', 'event_id is neither text nor an integer. Send it as text.')
    return faultOf('event_id', id) ?? id
  }
  return idFromKey(key, cards)
}

/** The id of a record without a value: its key. */
export function idFromKey(key: Buffer | null, cards: Cards | undefined): string | Reject {
  if (key === null || key.length === 0) {
    return reject('missing_event_id', 'There is no event_id in the value and no key. Send one of them.')
  }
  if (!isUtf8(key)) {
    return reject('invalid_field', 'The key stands for the event_id but is not UTF-8 text. Send event_id in the value.')
  }
  const text = key.toString('utf8')
  const id = cards === undefined ? text : cards.cleanText(text)
  return faultOf('event_id (the key)', id) ?? id
}
