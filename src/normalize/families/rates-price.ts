import type { Family } from './family.ts'

/**
 * The rates API's `price` answer: `{ price: { parkingPrice, transactionFee, totalPrice }, parkingStartTimeLocal:
 * "2023-06-01T15:36:15", maxParkingTime: { hours, totalMinutes }, currency }`. The amount is what the driver pays, all told. A
 * local time counts where the zone is known.
 */
export const ratesPrice: Family = {
  startsAt: 'parkingstarttimelocal',
  endsAt: 'parkingstoptimelocal',
  amount: 'price.totalprice price.total price.totalamount price.amount price.value price.parkingprice',
  currency: 'currency price.currency price.currencycode',
}
