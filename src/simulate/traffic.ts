import { type Agenda, createAgenda } from './agenda.ts'
import { type City, createCity } from './city.ts'
import type { Draft } from './drafts.ts'
import { toJson } from './json.ts'
import { breakRecord } from './malformed.ts'
import { createRandom, type Random } from './random.ts'
import { type Moment, planSession } from './session.ts'
import { dayCurve } from './time-forms.ts'
import type { AvroEncoder, Encoding, TrafficOptions, TrafficRecord } from './traffic-record.ts'

/** Records that a session leaves on average; it turns records per second into sessions per second. */
const RECORDS_PER_SESSION = 8
/** Sessions that began this long before the start are under way when it comes. */
const WARM_UP = 3 * 3_600_000
const MINUTE = 60_000

/**
 * Parking traffic of a city without end, in the order of delivery. A pure function of its options: the same seed, start
 * and pace give the same records to the byte (with the same `avro`). Memory holds what is under way, however long it runs.
 */
export function* traffic(options: TrafficOptions, avro: AvroEncoder): Generator<TrafficRecord, never> {
  const street = openStreet(options, avro)
  for (;;) {
    while (street.arrival <= street.agenda.next) arrive(street)
    const entry = street.agenda.take()
    if (!entry || entry.at < options.start) continue
    const due = entry.what
    if ('value' in due) yield { ...due, at: entry.at }
    else yield* happen(street, entry.at, due)
  }
}

interface Street {
  options: TrafficOptions
  avro: AvroEncoder
  random: Random
  city: City
  /** Drafts are written when their time comes; copies, late records and tombstones have their bytes already. */
  agenda: Agenda<Moment | TrafficRecord>
  /** When the next session begins. */
  arrival: number
  /** Shares of the ordinary records, so that each is the asked share of all. */
  odds: { duplicate: number; late: number; malformed: number; tombstone: number }
}

function openStreet(options: TrafficOptions, avro: AvroEncoder): Street {
  const random = createRandom(options.seed)
  const { duplicates, late, malformed, tombstones } = options.shares
  const ordinary = Math.max(0.01, 1 - duplicates - malformed - tombstones)
  const odds = {
    // Late ones are not repeated too.
    duplicate: duplicates / Math.max(0.01, ordinary - late),
    late: late / ordinary,
    malformed: malformed / ordinary,
    tombstone: tombstones / ordinary,
  }
  const arrival = options.start - WARM_UP
  return { options, avro, random, city: createCity(random), agenda: createAgenda(), arrival, odds }
}

function arrive(street: Street): void {
  const { options, random, odds } = street
  const at = street.arrival
  for (const moment of planSession(street.city, random, at)) street.agenda.add(moment.at, moment)
  const all = 1 + odds.duplicate + odds.malformed + odds.tombstone
  const perSecond = (options.pace * (options.dayCurve ? dayCurve(at) : 1)) / (RECORDS_PER_SESSION * all)
  street.arrival = at + random.wait(1000 / perSecond)
}

/** One moment becomes one record, and perhaps others around it. */
function* happen(street: Street, at: number, moment: Moment): Generator<TrafficRecord> {
  const { random, odds, agenda } = street
  const draft = moment.draft()
  const encoding = drawEncoding(street)
  if (random.chance(odds.malformed)) yield malformed(street, at, draft, encoding)
  const record = { ...ordinary(street, at, draft, encoding), opens: moment.first }
  if (random.chance(odds.late)) {
    agenda.add(at + random.wait(90 * MINUTE), { ...record, category: 'late', opens: false })
    return
  }
  yield record
  if (random.chance(odds.duplicate))
    agenda.add(at + random.wait(5 * MINUTE), { ...record, category: 'duplicate', opens: false })
  if (random.chance(odds.tombstone) && !draft.timeless) agenda.add(at + random.wait(20 * MINUTE), tombstone(at, draft))
}

function drawEncoding({ options, random }: Street): Encoding {
  if (options.encoding === 'mixed') return random.chance(0.5) ? 'avro' : 'json'
  return options.encoding
}

function ordinary(street: Street, at: number, draft: Draft, encoding: Encoding): TrafficRecord {
  const { random, options, avro } = street
  const value = encoding === 'avro' ? avro(draft.type, withId(draft)) : Buffer.from(toJson(draft.body))
  const spread = random.chance(options.shares.spread) && !draft.timeless
  const place = spread ? random.next() : null
  const { type, label, key } = draft
  return { type, category: 'ordinary', label, opens: false, encoding, at, key, value, place }
}

/** The Avro schemas ask for the event id in the value, even where the key has it. */
const withId = ({ body, eventId }: Draft) => ({ ...body, event_id: eventId })

function malformed({ random, avro }: Street, at: number, draft: Draft, encoding: Encoding): TrafficRecord {
  const { key, value } = breakRecord(
    { ...draft, body: encoding === 'avro' ? withId(draft) : draft.body },
    encoding,
    avro,
    random,
  )
  const place = key === null ? random.next() : null
  const { type, label } = draft
  return { type, category: 'malformed', label, opens: false, encoding, at, key, value, place }
}

const tombstone = (at: number, draft: Draft): TrafficRecord => ({
  type: draft.type,
  category: 'tombstone',
  label: draft.label,
  opens: false,
  encoding: 'json',
  at,
  key: draft.eventId,
  value: null,
  place: null,
})
