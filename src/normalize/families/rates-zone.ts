import type { Family } from './family.ts'

/**
 * The rates API's `zone` answer, whether and how long one may park: `{ isParkingAllowed, maxPerSessionMinutes,
 * timeZoneStandardName, startTimeUtc: "2023-08-03T01:18:55", durationSelections }`. Its time names UTC, without a zone letter.
 */
export const ratesZone: Family = {
  zoneId: 'zonecode internalzonecode zone.zonecode zone.internalzonecode',
  startsAt: 'starttimeutc',
}
