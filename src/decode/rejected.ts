import type { DeadLetterReason, Reject } from '../contract/dead-letter.ts'

/** Carries a reject out of a reader's depth; `outcomeOf` turns it into a value again. */
export class Rejected extends Error {
  readonly reject: Reject
  constructor(reason: DeadLetterReason, message: string) {
    super(message)
    this.reject = { reject: reason, message }
  }
}

/** Why a payload could not be read. What a library says may quote the payload, which may be card data: it is not passed on. */
export function rejectFrom(error: unknown, schemaId: number): Reject {
  if (error instanceof Rejected) return error.reject
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return { reject: 'too_deep', message: 'The value is nested too deep to be read. Send it flatter.' }
  }
  return {
    reject: 'undecodable',
    message: `The value does not fit schema ${schemaId}. Check that its producer writes with the schema that it names.`,
  }
}
