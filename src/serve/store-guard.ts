import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import { orLate } from './in-time.ts'

/** Failures in a row after which MongoDB is taken to be away, and for how long it is then not asked. */
const FAILURES = 5
const NOT_ASKED_MS = 1_000
/** Longest look-up, of however many commands. */
const TIMEOUT_MS = 2_000

/** Whether the store was not asked at all. */
export const wasNotAsked = (error: unknown): boolean => error instanceof BrokenCircuitError

/** Asks MongoDB, or fails at once while it is away: who asks would otherwise wait for a time-out each. */
export function createStoreGuard(): <T>(ask: () => Promise<T>) => Promise<T> {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: NOT_ASKED_MS,
    breaker: new ConsecutiveBreaker(FAILURES),
  })
  return (ask) => {
    // One is trying. The library would let all others wait for what it finds.
    if (breaker.state === CircuitState.HalfOpen) return Promise.reject(new BrokenCircuitError())
    return breaker.execute(() => orLate(TIMEOUT_MS, 'MongoDB did not answer', ask))
  }
}
