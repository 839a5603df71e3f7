/** What lasts is said at once, and then so often. */
const SAY_EVERY_MS = 30_000

export interface Seldom {
  /** Whether it is to be said now; it then counts as said. */
  isDue(): boolean
  /** It is over: the next time it is said at once. @returns whether it was said at all. */
  end(): boolean
}

export function createSeldom(): Seldom {
  let saidAt = Number.NEGATIVE_INFINITY
  return {
    isDue() {
      if (performance.now() - saidAt < SAY_EVERY_MS) return false
      saidAt = performance.now()
      return true
    },
    end() {
      const wasSaid = saidAt !== Number.NEGATIVE_INFINITY
      saidAt = Number.NEGATIVE_INFINITY
      return wasSaid
    },
  }
}
