import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel'
import { PrimaryUnavailable } from './unavailable.ts'

/**
 * Between us and a primary that is slow or away: neither it nor those who wait for us may suffer from the other.
 *
 *     a place (or the queue) → the breaker → the time limit → the work
 *
 * The queue is outside the breaker: what it turns away says nothing about the primary. An open breaker answers at once, so
 * that nobody waits behind it.
 */
export interface Guard {
  /**
   * Does the work in one of few places. It gets a signal that aborts when its time is over, and must then let go of what
   * it holds; its outcome no longer counts.
   * @throws PrimaryUnavailable for `timeout`, `busy` and `open`; what the work throws.
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  readonly state: GuardState
}

export type GuardState = 'closed' | 'open' | 'half-open'

export const LIMITS = {
  /** Look-ups at once, each on a connection of its own. A primary that serves others should not notice us. */
  running: 10,
  /** Look-ups that wait for one of these to end: what comes in within a hiccup, not a crowd. */
  waiting: 50,
  /** Longest wait for a place: one time limit, since after that the places are free, or the breaker is open. */
  waitMs: 2_000,
  /** Longest look-up, with connecting. Someone is waiting for it, and a look-up by index takes milliseconds. */
  timeoutMs: 2_000,
  /** Failures in a row after which the primary is taken to be away. */
  failures: 5,
  /** How long it is then not asked; after that one look-up tries. */
  halfOpenAfterMs: 5_000,
}

const STATES: Record<CircuitState, GuardState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
}

/** @param onState told of each change, and of what the last failure said. */
export function createGuard(
  onState: (state: GuardState, lastFailure: string) => void,
  limits: typeof LIMITS = LIMITS,
): Guard {
  const inPlace = createPlaces(limits)
  const limit = timeout(limits.timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false })
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: limits.halfOpenAfterMs,
    breaker: new ConsecutiveBreaker(limits.failures),
  })
  const lastFailure = () => {
    const failure = breaker.lastFailure
    return failure !== undefined && 'error' in failure ? (inOurWords(failure.error) as Error).message : ''
  }
  const inOurWords = (error: unknown): unknown => {
    if (error instanceof TaskCancelledError) return tooSlow(limits)
    if (error instanceof BulkheadRejectedError) return tooMany(limits)
    return error instanceof BrokenCircuitError ? notAsked(limits, lastFailure()) : error
  }
  breaker.onStateChange((state) => onState(STATES[state], lastFailure()))

  const guarded = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    // One is trying. The library would let all others wait for what it finds.
    if (breaker.state === CircuitState.HalfOpen) throw new BrokenCircuitError()
    return breaker.execute(() => limit.execute(({ signal }) => work(signal)))
  }
  return {
    get state() {
      return STATES[breaker.state]
    },
    run: (work) =>
      inPlace(() => guarded(work)).catch((error: unknown) => {
        throw inOurWords(error)
      }),
  }
}

/** Does work in one of so many places, or throws BulkheadRejectedError: at once, or when none gets free in time. */
function createPlaces({ running, waiting, waitMs }: typeof LIMITS): <T>(work: () => Promise<T>) => Promise<T> {
  const places = bulkhead(running, waiting)
  return (work) => {
    const wait = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const inVain = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        wait.abort()
        reject(new BulkheadRejectedError(running, waiting))
      }, waitMs)
    })
    const placed = places.execute(() => {
      clearTimeout(timer)
      return work()
    }, wait.signal)
    return Promise.race([placed, inVain]).finally(() => clearTimeout(timer))
  }
}

const tooSlow = ({ timeoutMs }: typeof LIMITS) =>
  new PrimaryUnavailable('timeout', `The primary MySQL did not answer within ${timeoutMs / 1_000} s`)

const tooMany = ({ running, waiting }: typeof LIMITS) =>
  new PrimaryUnavailable('busy', `${running} look-ups in the primary MySQL are under way and ${waiting} wait`)

const notAsked = ({ failures, halfOpenAfterMs }: typeof LIMITS, last: string) =>
  new PrimaryUnavailable(
    'open',
    `The primary MySQL is not asked for ${halfOpenAfterMs / 1_000} s after ${failures} failures in a row. The last: ${last}`,
  )
