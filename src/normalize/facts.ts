/**
 * What a stored document says, in one form for all the families of bodies that it may hold (`families/`). It is read from the
 * document when somebody asks, not kept beside it: so nothing of a person stands there twice, and what these rules learn
 * holds for old documents too.
 */
import type { CacheContent } from '../contract/document.ts'
import type { Json } from '../contract/record.ts'
import { amountOf, currencyIn } from './amount.ts'
import { bodiesOf } from './bodies.ts'
import { createFinder } from './find.ts'
import { isError } from './http-status.ts'
import { textOfId } from './identifiers.ts'
import { isObject } from './put.ts'
import type { Clock } from './time-zone.ts'

/** Null: the document does not say. */
export interface Facts {
  sessionId: string | null
  zoneId: string | null
  /** A token, a mask or an opaque reference: the document's own, or else what a body tells. */
  card: string | null
  plate: string | null
  startsAt: Date | null
  endsAt: Date | null
  /** In the unit that the body gives it in. */
  amount: number | null
  /** ISO 4217. */
  currency: string | null
  /** Of an error. */
  errorCode: string | null
}

const find = createFinder([
  ...(['sessionId', 'zoneId', 'card', 'plate', 'startsAt', 'endsAt'] as const),
  ...(['amount', 'currency', 'errorCode'] as const),
])

/**
 * @param document or its `cache.lastSuccess`, read back (`documents/read-back.ts`) and decrypted where it was encrypted.
 * @param zone of times for which nobody names one: that of `DEFAULT_TIME_ZONE`; null: UTC.
 */
export function factsOf({ card, http_status, response = null }: CacheContent, zone: Clock | null = null): Facts {
  const event = isObject(response) ? response : {}
  const { session_data = null } = event
  const found = find(event, bodiesOf({ session_data, response }), zone)
  const timeOf = (at: number | null) => (at === null ? null : new Date(at))
  return {
    sessionId: found.sessionId,
    zoneId: found.zoneId,
    card: textOfId(card) ?? found.card,
    plate: found.plate,
    startsAt: timeOf(found.startsAt),
    endsAt: timeOf(found.endsAt),
    amount: found.amount === null ? null : amountOf(found.amount as Json),
    currency: found.currency ?? currencyIn(found.amount as Json),
    errorCode: isError(http_status) ? found.errorCode : null,
  }
}
