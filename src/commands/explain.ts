/** Errors of what the program stands on, told so that a person can mend them. */
import * as documents from '../documents/denied.ts'
import type { Explain } from '../operate/outages.ts'
import * as stream from '../stream/denied.ts'

const DENIALS = { kafka: stream.denial, mongodb: documents.denial }

/** A service does not let us in, or do something: waiting does not mend it, and the message says what does. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError'
}

export const isDenied =
  (dependency: keyof typeof DENIALS) =>
  (error: unknown): boolean =>
    DENIALS[dependency](error) !== null

/** For `catch`: throws the error, as a DeniedError where it is one. */
export const orDenied =
  (dependency: keyof typeof DENIALS) =>
  (error: unknown): never => {
    const why = DENIALS[dependency](error)
    throw why === null ? error : new DeniedError(why, { cause: error })
  }

export const explain: Explain = (dependency, error) => {
  if (dependency === 'kafka') return stream.explain(error)
  return dependency === 'mongodb' ? documents.explain(error) : error.message
}
