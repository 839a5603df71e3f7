/** What is looked for in a body. */
export const FIELDS = [
  'sessionId',
  'zoneId',
  'card',
  'plate',
  'startsAt',
  'endsAt',
  'amount',
  'currency',
  'status',
  'paymentStatus',
  'errorCode',
] as const
export type Field = (typeof FIELDS)[number]

/**
 * Under which names one family of bodies has them, best first, without case and separators: `stoptimeutc` is also
 * `stopTimeUTC`, `StopTimeUtc` and `stop_time_utc`. `price.totalprice` is the field of an object in the body.
 *
 * A family that is new here needs a file like its neighbours, and a line in `facts.ts`. Its names are then found in every
 * body, since nothing in a record tells of which family a body is.
 */
export type Family = { readonly [field in Field]?: string }
