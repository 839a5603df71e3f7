import type { DeadLetterReason, Reject } from '../contract/dead-letter.ts'

export function reject(reason: DeadLetterReason, message: string): Reject {
  return { reject: reason, message }
}

export function isReject(outcome: object): outcome is Reject {
  return 'reject' in outcome
}
