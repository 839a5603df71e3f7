import type { Family } from './family.ts'

/**
 * What an event says of its session, in `session_data` or beside it: `{ session_id, start_time, end_time, license_plate,
 * amount: 4.5, currency: "USD" }`. Each upstream writes it in its own words, so this list is the longest.
 *
 * Of several ends it takes a stop before an end before an expiry, and UTC before a time of unsaid zone.
 */
export const sessionData: Family = {
  sessionId: 'sessionid parkingsessionid',
  zoneId: 'zoneid zone zonecode zonenumber parkingzoneid parkingzone internalzonecode zone.id zone.code zone.zonecode',
  card: 'card cardreference cardref cardtoken cardid maskedcard maskedcardnumber maskedpan cardnumber paymentcard',
  plate: `licenseplate licenseplatenumber licenceplate licenceplatenumber lpn plate platenumber numberplate
    vehicleplate vrn vehicle.lpn vehicle.licenseplate vehicle.licenseplatenumber vehicle.plate vehicle.vrn`,
  startsAt: `starttimeutc parkingstarttimeutc starttime parkingstarttime startdateutc startdate startdatetime
    sessionstarttime startsat startedat starttimelocal parkingstarttimelocal startdatelocal`,
  endsAt: `stoptimeutc parkingstoptimeutc stoptime parkingstoptime stopdateutc stopdate stopdatetime stopsat stoppedat
    endtimeutc parkingendtimeutc endtime parkingendtime enddateutc enddate enddatetime sessionendtime endsat endedat
    expirytimeutc expirytime expirationtimeutc expirationtime expiresat expiredat
    stoptimelocal parkingstoptimelocal stopdatelocal endtimelocal parkingendtimelocal enddatelocal`,
  amount: `totalamount totalprice totalcost amount amount.amount amount.value amountpaid price cost fee
    payment.amount payment.totalamount`,
  currency: 'currency currencycode amount.currency amount.currencycode payment.currency',
  status: 'status sessionstatus parkingstatus parkingsessionstatus',
  paymentStatus: 'paymentstatus paymentstate payment.status',
}
