import type { City } from './city.ts'
import { answerDraft, type Dialect, type Draft, eventDraft } from './drafts.ts'
import type { Random } from './random.ts'
import { activateAnswer, errorAnswer, type Parked, priceAnswer, rightAnswer, zoneAnswer } from './responses.ts'

/** Something that happens at a time; the record is written when its turn comes. */
export interface Moment {
  at: number
  /** The session begins with it. */
  first: boolean
  draft: () => Draft
}

const SECOND = 1000
const MINUTE = 60 * SECOND

/** One visit to the kerb, from the first look at the rates to the end, as the records it leaves. */
export function planSession(city: City, random: Random, at: number): Moment[] {
  const visit = newVisit(city, random, at)
  if (visit.api !== 'none') lookAtRates(visit)
  const begun = visit.api === 'none' || activate(visit)
  if (!begun) return visit.moments
  begin(visit)
  const extensions = random.chance(0.3) ? random.int(1, 3) : 0
  for (let i = 0; i < extensions; i++) extend(visit)
  if (visit.api === 'rights' && random.chance(0.4)) lookUp(visit)
  finish(visit)
  return visit.moments
}

interface Visit {
  parked: Parked
  dialect: Dialect
  api: 'rates' | 'rights' | 'none'
  random: Random
  moments: Moment[]
  /** Where the plan has arrived. */
  now: number
}

function newVisit(city: City, random: Random, at: number): Visit {
  const api = random.pick(['rates', 'rates', 'rights', 'none', 'none'] as const)
  const zone = city.zone()
  const minutes = 15 * random.int(1, 16)
  const parked: Parked = {
    id: newId(api, random),
    zone,
    driver: city.driver(),
    start: at,
    end: at + minutes * MINUTE,
    paid: Math.ceil((zone.hourly * minutes) / 60),
  }
  const idField =
    api === 'rights' ? 'parkingrightId' : random.pick(['session_id', 'session_id', 'session_id', 'sessionId'] as const)
  const statuses = random.pick(['lower', 'lower', 'lower', 'upper'] as const)
  return { parked, dialect: { idField, statuses }, api, random, moments: [], now: at }
}

function newId(api: Visit['api'], random: Random): string | number | bigint {
  if (api === 'rights') {
    return random.chance(0.02) ? BigInt(`90071${random.digits(13)}`) : 5_000_000_000 + random.int(0, 99_999_999)
  }
  return api === 'rates' ? `IC${random.digits(14)}N` : random.uuid()
}

/** A record about the session, `after` milliseconds after the last one; the session's state is the one planned so far. */
function event(visit: Visit, after: number, eventType: string, status: string | undefined, eventId?: string): void {
  const { random, dialect } = visit
  const parked = { ...visit.parked }
  visit.now += after
  const at = visit.now
  const id = eventId ?? random.uuid()
  const shared = eventId !== undefined
  visit.moments.push({
    at,
    first: visit.moments.length === 0,
    draft: () => eventDraft({ eventId: id, eventType, status, at, shared }, parked, dialect, random),
  })
}

interface Call {
  endpoint: string
  method?: 'GET' | 'POST' | 'PUT'
  httpStatus: unknown
  response: (parked: Parked, at: number) => unknown
  eventId?: string
}

function answer(visit: Visit, after: number, call: Call): void {
  const { random } = visit
  const parked = { ...visit.parked }
  visit.now += after
  const at = visit.now
  const eventId = call.eventId ?? random.uuid()
  const shared = call.eventId !== undefined
  const { endpoint, method = 'GET', httpStatus } = call
  const card = parked.driver.card
  const draft = () => {
    const response = call.response(parked, at)
    return answerDraft({ eventId, about: parked, endpoint, method, httpStatus, response, card, at, shared }, random)
  }
  visit.moments.push({ at, first: visit.moments.length === 0, draft })
}

const wellDone = (random: Random, usual: number) => (random.chance(0.15) ? String(usual) : usual)
const trouble = (random: Random) =>
  random.pick<number | string>([400, 401, 404, 422, 422, '422', 429, 500, 503, 0, 'ETIMEDOUT', 'ECONNRESET'])

function lookAtRates(visit: Visit): void {
  const { random } = visit
  const zone = visit.parked.zone
  const fails = random.chance(0.05) ? trouble(random) : null
  answer(visit, random.wait(5 * SECOND), {
    endpoint: `/rates/zone/${zone.id}`,
    httpStatus: fails ?? wellDone(random, 200),
    response: (_, at) => (fails === null ? zoneAnswer(at, random) : errorAnswer(fails, random)),
  })
  if (random.chance(0.6)) {
    answer(visit, random.wait(20 * SECOND), {
      endpoint: '/rates/price',
      httpStatus: wellDone(random, 200),
      response: (_, at) => priceAnswer(zone, at, 15 * random.int(1, 16), random),
    })
  }
}

/** Buys the session; says whether it has begun. A failure is tried again once, by half of the clients as the same call. */
function activate(visit: Visit): boolean {
  const { random } = visit
  const endpoint = visit.api === 'rates' ? '/rates/activate' : '/parkingrights'
  const eventId = random.uuid()
  if (random.chance(0.08)) {
    const status = trouble(random)
    const failed = {
      endpoint,
      method: 'POST',
      httpStatus: status,
      response: () => errorAnswer(status, random),
    } as const
    answer(visit, random.wait(15 * SECOND), random.chance(0.5) ? { ...failed, eventId } : failed)
    if (random.chance(0.4)) return false
  }
  const exists = visit.api === 'rights' && random.chance(0.05)
  answer(visit, random.wait(10 * SECOND), {
    endpoint,
    method: 'POST',
    httpStatus: exists ? 409 : wellDone(random, visit.api === 'rates' ? 200 : 201),
    response: (parked, at) =>
      visit.api === 'rates'
        ? activateAnswer(parked, at, random)
        : rightAnswer(parked, exists ? undefined : 'ON_GOING', random),
    eventId,
  })
  if (random.chance(0.3)) event(visit, random.wait(SECOND), 'parking_start', 'success', eventId)
  return true
}

function begin(visit: Visit): void {
  const { random } = visit
  const status = random.pick(['success', 'on-going', undefined])
  event(visit, random.wait(3 * SECOND), 'parking_start', status)
  pay(visit)
}

function pay(visit: Visit): void {
  const { random } = visit
  if (random.chance(0.06)) {
    event(visit, random.wait(2 * SECOND), 'payment_failed', 'failed')
  }
  event(visit, random.wait(4 * SECOND), 'payment_authorized', random.pick(['success', 'authorized']))
  if (random.chance(0.8))
    event(visit, random.wait(90 * SECOND), 'payment_completed', random.pick(['success', 'completed', undefined]))
}

function extend(visit: Visit): void {
  const { random, parked } = visit
  visit.now = Math.max(visit.now, parked.end - random.wait(6 * MINUTE))
  const minutes = 15 * random.int(1, 4)
  parked.end += minutes * MINUTE
  parked.paid += Math.ceil((parked.zone.hourly * minutes) / 60)
  if (visit.api === 'rights') {
    answer(visit, random.wait(5 * SECOND), {
      endpoint: `/parkingrights/${parked.id}`,
      method: 'PUT',
      httpStatus: wellDone(random, 200),
      response: (now) => rightAnswer(now, random.pick(['ON_GOING', undefined]), random),
    })
  }
  event(visit, random.wait(3 * SECOND), 'parking_extend', random.pick(['success', 'on-going']))
  pay(visit)
}

/** Some clients ask again under the same event id, and do not always get an answer then. */
function lookUp(visit: Visit): void {
  const { random, parked } = visit
  const endpoint = `/parkingrights/${parked.id}`
  const eventId = random.uuid()
  const gone = random.chance(0.1)
  answer(visit, random.wait(5 * MINUTE), {
    endpoint,
    httpStatus: gone ? 204 : wellDone(random, 200),
    response: (now) =>
      gone
        ? random.pick([undefined, null, ''])
        : rightAnswer(now, random.pick(['ON_GOING', 'alerted', undefined]), random),
    eventId,
  })
  if (!random.chance(0.3)) return
  const status = trouble(random)
  answer(visit, random.wait(MINUTE), {
    endpoint,
    httpStatus: status,
    response: () => errorAnswer(status, random),
    eventId,
  })
}

function finish(visit: Visit): void {
  const { random, parked } = visit
  const draw = random.next()
  if (draw < 0.04) {
    event(visit, random.wait(2 * MINUTE), 'parking_cancel', random.pick(['success', 'cancelled']))
    event(visit, random.wait(MINUTE), 'payment_refunded', 'refunded')
    return
  }
  if (draw < 0.5) {
    visit.now = Math.max(visit.now, random.int(parked.start, parked.end))
    parked.end = visit.now
    event(visit, random.wait(SECOND), 'parking_stop', random.pick(['success', 'finished', undefined]))
    return
  }
  visit.now = Math.max(visit.now, parked.end - 10 * MINUTE)
  if (random.chance(0.4)) event(visit, random.wait(MINUTE), 'parking_status', 'alerted')
  visit.now = Math.max(visit.now, parked.end)
  event(visit, random.wait(30 * SECOND), random.pick(['parking_stop', 'parking_expire', 'session_update']), 'expired')
}
