/**
 * Which members of MongoDB are asked. Where others than the primary may be, one of them that is behind costs a reader BEHIND_MS now and
 * then, and nobody an answer: the primary answers then, or while there is none whoever has come as far.
 */
import { ReadPreference } from 'mongodb'

/** Of one question, the wait for a server among it: who asks does not wait longer. The driver has no such limit of its own. */
const TIMEOUT_MS = 2_000
/** So long a member may take that is not the primary, being behind what was read before; then it is not asked for some time. */
const BEHIND_MS = 500
const NOT_ASKED_MS = 5_000

export interface Asked {
  reads: ReadPreference
  /** How long it may take. */
  ms: number
}

/** @param ask fails where the answer takes too long. */
export function askMembers<Q extends unknown[], A>(
  reads: ReadPreference,
  ask: (asked: Asked, ...question: Q) => Promise<A>,
): (...question: Q) => Promise<A> {
  if (reads.mode !== 'secondaryPreferred' && reads.mode !== 'nearest') {
    return (...question) => ask({ reads, ms: TIMEOUT_MS }, ...question)
  }
  let notBefore = Number.NEGATIVE_INFINITY
  let wasBehind = false
  return async (...question) => {
    const began = performance.now()
    const looks = began >= notBefore
    if (looks) {
      // One looks whether it has come up; the others go on.
      if (wasBehind) notBefore = began + NOT_ASKED_MS
      try {
        const answer = await ask({ reads, ms: BEHIND_MS }, ...question)
        wasBehind = false
        notBefore = began
        return answer
      } catch {
        // The primary is asked.
      }
    }
    const askedAt = performance.now()
    const answer = await ask({ reads: ReadPreference.primaryPreferred, ms: TIMEOUT_MS - BEHIND_MS }, ...question)
    if (looks) {
      // Where all are slow, nobody is behind.
      wasBehind = performance.now() - askedAt < BEHIND_MS
      if (wasBehind) notBefore = performance.now() + NOT_ASKED_MS
    }
    return answer
  }
}
