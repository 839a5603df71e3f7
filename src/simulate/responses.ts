import type { Driver, Zone } from './city.ts'
import type { Random } from './random.ts'
import { bare, iso } from './time-forms.ts'
import type { Body } from './traffic-record.ts'

/** A session as ParkMobile's API speaks of it. */
export interface Parked {
  /** Text ids of the rates API, numbers (over 32 bits, a few over 53) of the parking rights API. */
  id: string | number | bigint
  zone: Zone
  driver: Driver
  start: number
  /** When it is paid until; extensions move it. */
  end: number
  /** Cents paid so far. */
  paid: number
}

const MINUTE = 60_000

/** `…/rates/zone/<zone>`: what may be bought there. */
export function zoneAnswer(at: number, random: Random): Body {
  const most = 60 * random.int(1, 12)
  return {
    status: random.chance(0.1) ? random.pick(['OPEN', 'open', 'CLOSED']) : undefined,
    isParkingAllowed: random.pick([true, true, true, 'true', 'True']),
    maxPerSessionMinutes: most,
    timeZoneStandardName: 'Eastern Standard Time',
    startTimeUtc: bare(at),
    durationSelections: random.pick<unknown>([
      [
        { timeBlockId: 1, minutes: 60 },
        { timeBlockId: 2, minutes: most },
      ],
      '[{"timeBlockId":1,"minutes":60}]',
    ]),
  }
}

/** `…/rates/price`: what a time would cost. */
export function priceAnswer(zone: Zone, at: number, minutes: number, random: Random): Body {
  return {
    price: prices(Math.ceil((zone.hourly * minutes) / 60), zone, random),
    parkingStartTimeLocal: bare(at - 5 * 60 * MINUTE),
    maxParkingTime: { hours: Math.floor(minutes / 60), totalMinutes: minutes },
    currency: zone.currency,
  }
}

/** `…/rates/activate`: a session that has begun. */
export function activateAnswer(parked: Parked, at: number, random: Random): Body {
  return {
    sessionId: parked.id,
    lpn: parked.driver.plate,
    zone: random.chance(0.9) ? parked.zone.id : Number(parked.zone.id),
    price: prices(parked.paid, parked.zone, random),
    startTimeUTC: iso(parked.start),
    stopTimeUTC: iso(parked.end),
    createdAt: `${iso(at).slice(0, 23)}${random.digits(4)}`,
  }
}

/** `…/parkingrights`: a right to park, as bought or looked up. */
export function rightAnswer(parked: Parked, status: string | undefined, random: Random): Body {
  return {
    parkingrightId: parked.id,
    licensePlate: parked.driver.plate,
    startDate: bare(parked.start),
    endDate: random.chance(0.7) ? bare(parked.end) : `${bare(parked.end)}-0000`,
    maxEndDate: iso(parked.end + 120 * MINUTE),
    status,
    amount: parked.paid / 100,
    extraProperties: {
      amountCurrency: parked.zone.currency,
      residenceAB: random.pick(['true', 'false']),
      location: parked.zone.at,
    },
    totalPayedMinutes: Math.round((parked.end - parked.start) / MINUTE),
  }
}

/** What the API says when it does not want to. */
export function errorAnswer(status: number | string, random: Random): unknown {
  if (typeof status === 'string' || status === 0)
    return random.pick([undefined, null, { message: `connect ${status || 'failed'}` }])
  const plain = random.pick<Body>([
    {
      errors: [{ code: 1113, message: 'Parking is not allowed at this time' }],
      code: 21,
      message: 'Validation failed',
    },
    { errors: [{ field: 'licensePlate', message: 'must not be blank' }] },
    { error: { type: 'internal', requestId: random.hex(12) }, message: 'Something went wrong' },
  ])
  return random.chance(0.25) ? { 'application/json': plain } : plain
}

function prices(cents: number, zone: Zone, random: Random): Body {
  const fee = 45
  const money = (amount: number) => amount / 100
  const form = random.next()
  if (form < 0.1) return { parkingPrice: local(cents), transactionFee: local(fee), totalPrice: local(cents + fee) }
  if (form < 0.2)
    return { parkingPrice: { amount: money(cents), currency: zone.currency }, totalPrice: String((cents + fee) / 100) }
  return { parkingPrice: money(cents), transactionFee: money(fee), totalPrice: money(cents + fee) }
}

const local = (cents: number) => `${(cents / 100).toFixed(2).replace('.', ',')} €`
