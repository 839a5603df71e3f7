import type { Family } from './family.ts'

/** The rates API's `activate` answer: `{ sessionId, lpn, zone, price: { … }, startTimeUTC, stopTimeUTC, createdAt }`. */
export const ratesActivate: Family = {
  sessionId: 'sessionid',
  zoneId: 'zone',
  plate: 'lpn',
  startsAt: 'starttimeutc',
  endsAt: 'stoptimeutc',
  amount: 'price.totalprice',
  currency: 'price.currency',
}
