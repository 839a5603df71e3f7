import type { JsonObject } from '../contract/record.ts'
import { createFinder } from './find.ts'
import { faultOf, textOfId } from './identifiers.ts'
import { isObject } from './put.ts'

const findZone = createFinder(['zoneId'])

/**
 * The zone of which a response tells the price: the rates API's `price` answer, `{ price: { parkingPrice, … }, maxParkingTime, … }`,
 * seldom names it, so it is also looked for in what was asked: the `payload`, and the `endpoint`, such as `/rates/price?zone=67890` or
 * `/zones/67890/price`. Null: the response is none, or tells no zone.
 * @param bodies those of the record.
 * @param sessionId of the record: a body with a session and a price tells what was paid, not what it costs.
 */
export function priceZoneOf(
  record: JsonObject,
  bodies: readonly JsonObject[],
  sessionId: string | null,
  zoneId: string | null,
): string | null {
  if (sessionId !== null || !bodies.some(tellsPrice)) return null
  const zone = zoneId ?? zoneInPayload(record) ?? zoneInEndpoint(record.endpoint)
  return zone !== null && faultOf('zone_id', zone) === null ? zone : null
}

const tellsPrice = ({ price, parkingStartTimeLocal, maxParkingTime }: JsonObject) =>
  isObject(price) && (parkingStartTimeLocal !== undefined || maxParkingTime !== undefined)

function zoneInPayload({ payload }: JsonObject): string | null {
  return isObject(payload) ? findZone({}, [payload], null).zoneId : null
}

const IN_QUERY = /[?&]zone(?:_?(?:id|code))?=([^&#]+)/i
const IN_PATH = /\/zones?\/([^/?#]+)/i

function zoneInEndpoint(endpoint: unknown): string | null {
  if (typeof endpoint !== 'string' || endpoint.length > LONGEST_ENDPOINT) return null
  const [, text] = IN_QUERY.exec(endpoint) ?? IN_PATH.exec(endpoint) ?? []
  try {
    return text === undefined ? null : textOfId(decodeURIComponent(text))
  } catch {
    return null // it is not encoded as it should be
  }
}

const LONGEST_ENDPOINT = 4_096
