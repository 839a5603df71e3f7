/** What is looked for in a body. Null: there is nothing that can be read. */
export interface Found {
  sessionId: string | null
  zoneId: string | null
  card: string | null
  plate: string | null
  /** Epoch milliseconds. */
  startsAt: number | null
  endsAt: number | null
  /** As it is given, readable by `amountOf`. */
  amount: unknown
  currency: string | null
  /** Status words. */
  status: string | null
  paymentStatus: string | null
  errorCode: string | null
}

export type Field = keyof Found

/**
 * Under which names one family of bodies has them, best first, without case and separators: `stoptimeutc` is also
 * `stopTimeUTC`, `StopTimeUtc` and `stop_time_utc`. `price.totalprice` is the field of an object in the body.
 *
 * A family that is new here needs a file like its neighbours, and a line in `field-names.ts`. Its names are then found in every
 * body, since nothing in a record tells of which family a body is.
 */
export type Family = { readonly [field in Field]?: string }
