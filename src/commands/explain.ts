/** Errors of what the program stands on, told so that a person can mend them. */
import * as documents from '../documents/denied.ts'
import type { Explain } from '../operate/outages.ts'
import * as stream from '../stream/denied.ts'

/** Whether Kafka does not let us in, or do something: who sits before a command mends that sooner than waiting does. */
export const isDenied = (error: unknown): boolean => stream.denial(error) !== null

export const explain: Explain = (dependency, error) => {
  if (dependency === 'kafka') return stream.explain(error)
  return dependency === 'mongodb' ? documents.explain(error) : error.message
}
