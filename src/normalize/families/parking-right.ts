import type { Family } from './family.ts'

/**
 * The parking rights API: `{ parkingrightId: 5016216071, licensePlate, startDate, endDate, maxEndDate, amount: 0.25,
 * extraProperties: { amountCurrency, residenceAB: "true" }, totalPayedMinutes }`. A right is the session of this API.
 * `maxEndDate`, the latest time it could be extended to, is no end.
 */
export const parkingRight: Family = {
  sessionId: 'parkingrightid parkingrightsid',
  plate: 'licenseplate',
  startsAt: 'startdate',
  endsAt: 'enddate',
  amount: 'amount',
  currency: 'amountcurrency extraproperties.amountcurrency extraproperties.currency',
  status: 'parkingrightstatus',
}
