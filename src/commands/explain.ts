/** Errors of what the program stands on, told so that a person can mend them. */
import * as documents from '../documents/denied.ts'
import type { Explain } from '../operate/outages.ts'
import * as stream from '../stream/denied.ts'

/** Why a service does not let us in, or do something; null: it may be an outage. */
export const denialOf = (error: unknown): string | null => stream.denial(error) ?? documents.denial(error)

export const explain: Explain = (dependency, error) => {
  if (dependency === 'kafka') return stream.explain(error)
  return dependency === 'mongodb' ? documents.explain(error) : error.message
}
