import { type Fields, idText, isFields, type Value } from './input.ts'
import { timeOf } from './times.ts'

export type Kind = 'error' | 'payment' | 'session' | 'status'

/** What a record says of its session. */
export interface Meaning {
  kind: Kind
  status: string | null
  sessionId: string | null
  zoneId: string | null
  eventType: string | null
  endsAt: number | null
  card: string | null
}

/** The part of a document that applications read. */
export interface Content {
  card?: Value
  http_status?: Value
  response?: Value
  payload?: Value
  user_id?: Value
}

/** What readers find in a document, whatever the words of the body. Times in epoch milliseconds. */
export interface Facts {
  sessionId?: string
  zoneId?: string
  card?: string
  plate?: string
  startsAt?: number
  endsAt?: number
  amount?: number
  currency?: string
  errorCode?: string
}

const SESSION_NAMES = ['sessionid', 'parkingrightid']
const ZONE_NAMES = ['zoneid', 'zone']
const STATUS_NAMES = ['status']
const PAYMENT_NAMES = ['paymentstatus']
const END_NAMES = ['stoptimeutc', 'stoptime', 'endtimeutc', 'endtime', 'enddate']
const START_NAMES = ['starttimeutc', 'starttime', 'startdate']
const PLATE_NAMES = ['licenseplate', 'lpn']
const AMOUNT_NAMES = ['amount', 'payment.amount', 'price.totalprice']
const CURRENCY_NAMES = ['currency', 'extraproperties.amountcurrency']
const CODE_NAMES = ['errors.code', 'code']
const SESSION_WORDS = ['on-going', 'alerted', 'finished', 'expired', 'cancelled']
const WORD_OF_TYPE: Record<string, string> = {
  parking_start: 'on-going',
  parking_extend: 'on-going',
  parking_stop: 'finished',
  parking_cancel: 'cancelled',
}

/** Kind, status word and the rest, by the rules of the design, for a record that is free of card data. */
export function meaningOf(record: Fields, httpStatus: Value | undefined): Meaning {
  const places = placesIn(record)
  const eventType = typeof record.event_type === 'string' && record.event_type !== '' ? record.event_type : null
  return {
    ...kindAndStatus(record, places, eventType, httpStatus),
    sessionId: first(places, SESSION_NAMES, idText),
    zoneId: zoneIn(record, places),
    eventType,
    endsAt: first(places, END_NAMES, timeOf),
    card: first(places, ['card'], idText),
  }
}

/** @param document that of an event has all its fields in `response`, that of a response only the body. */
export function factsIn({ card, http_status, response }: Content, isEvent: boolean): Facts {
  const record = isEvent && isFields(response) ? response : response === undefined ? {} : { response }
  const places = placesIn(record)
  const facts = {
    sessionId: first(places, SESSION_NAMES, idText),
    zoneId: zoneIn(record, places),
    card: idText(card) ?? first(places, ['card'], idText),
    plate: first(places, PLATE_NAMES, idText)?.trim() ?? null,
    startsAt: first(places, START_NAMES, timeOf),
    endsAt: first(places, END_NAMES, timeOf),
    amount: first(places, AMOUNT_NAMES, amountIn),
    currency: first(places, CURRENCY_NAMES, currencyIn) ?? first(places, AMOUNT_NAMES, currencyIn),
    errorCode: isError(http_status) ? first(places, CODE_NAMES, idText) : null,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null)) as Facts
}

/** Nearest first. */
const placesIn = (record: Fields): Fields[] =>
  [record.session_data, record.response, record, ...unwrapped(record.response)].filter(isFields).map(plainNames)

const zoneIn = (record: Fields, places: Fields[]): string | null =>
  idText(record.zone_id) ?? first(places, ZONE_NAMES, idText)

/** `2.5`, `"2.5"`, `"2,50 €"`. */
function amountIn(value: Value): number | null {
  if (typeof value === 'number') return value
  const digits = typeof value === 'string' ? /^(\d+)(?:[.,](\d\d?))?(?: €)?$/.exec(value) : null
  return digits === null ? null : Number(`${digits[1]}.${digits[2] ?? 0}`)
}

/** `"EUR"`, and that of `"2,50 €"`. */
function currencyIn(value: Value): string | null {
  if (typeof value !== 'string') return null
  return /^[A-Z]{3}$/.test(value) ? value : value.endsWith('€') ? 'EUR' : null
}

/** The body of `{ "application/json": body }`. */
function unwrapped(response: Value | undefined): Value[] {
  if (!isFields(response)) return []
  const inner = Object.values(response)
  return inner.length === 1 ? inner : []
}

function kindAndStatus(
  record: Fields,
  places: Fields[],
  eventType: string | null,
  httpStatus: Value | undefined,
): { kind: Kind; status: string | null } {
  if (isError(httpStatus)) return { kind: 'error', status: word(String(httpStatus)) }
  const own = wordOf(record.status)
  if (eventType?.startsWith('payment')) {
    return { kind: 'payment', status: first(places, PAYMENT_NAMES, wordOf) ?? own }
  }
  // `success` tells that the call went well, nothing of the session.
  const said = (own === 'success' ? null : own) ?? first(places, STATUS_NAMES, sessionWordOf)
  const activated = places.some(isActivateBody)
  if (eventType?.startsWith('parking_')) {
    return { kind: 'session', status: said ?? WORD_OF_TYPE[eventType] ?? null }
  }
  const session = activated || (said !== null && SESSION_WORDS.includes(said))
  return { kind: session ? 'session' : 'status', status: said }
}

export function isError(httpStatus: Value | undefined): boolean {
  if (httpStatus === undefined || httpStatus === null) return false
  return typeof httpStatus !== 'number' || httpStatus >= 400 || httpStatus === 0
}

const isActivateBody = (body: Fields) =>
  first([body], SESSION_NAMES, idText) !== null &&
  first([body], ['starttimeutc', 'starttime'], timeOf) !== null &&
  first([body], ['stoptimeutc', 'stoptime'], timeOf) !== null

const word = (text: string) => text.trim().toLowerCase().replaceAll('_', '-')
const wordOf = (value: Value | undefined) => (typeof value === 'string' && value.trim() !== '' ? word(value) : null)
const sessionWordOf = (value: Value | undefined) => (wordOf(value) === 'success' ? null : wordOf(value))

/** The first place that has one of the names, the earlier names first. `a.b` is `b` of the object `a`, or of the first in a list `a`. */
function first<T>(places: Fields[], names: string[], read: (value: Value) => T | null): T | null {
  for (const place of places) {
    for (const name of names) {
      const value = within(place, name)
      const found = value === undefined ? null : read(value)
      if (found !== null) return found
    }
  }
  return null
}

function within(place: Fields, path: string): Value | undefined {
  const [name = '', inner] = path.split('.')
  if (inner === undefined) return place[name]
  const list = [place[name]].flat() as Value[]
  return isFields(list[0]) ? plainNames(list[0])[inner] : undefined
}

/** Names are compared without case and `_`. */
const plainNames = (place: Fields): Fields =>
  Object.fromEntries(Object.entries(place).map(([name, value]) => [name.toLowerCase().replaceAll('_', ''), value]))
