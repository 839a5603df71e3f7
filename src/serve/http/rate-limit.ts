/** How many requests each client makes in a second. */
export interface RateLimit {
  /** Of a client, in a second. */
  readonly most: number
  /** Counts a request; how many the client may still make in this second, negative when this one was too many. */
  count(client: string): number
  /** The same without counting. */
  left(client: string): number
}

const WINDOW_MS = 1_000

/**
 * All clients share their seconds, so what is counted is forgotten at once, and no client is kept for longer: there are never more of
 * them than requests in a second.
 */
export function createRateLimit(most: number, now: () => number = () => performance.now()): RateLimit {
  const counts = new Map<string, number>()
  let ends = 0
  const countOf = (client: string) => {
    const at = now()
    if (at >= ends) {
      counts.clear()
      ends = at + WINDOW_MS
    }
    return counts.get(client) ?? 0
  }
  return {
    most,
    count(client) {
      const made = countOf(client) + 1
      counts.set(client, made)
      return most - made
    },
    left: (client) => most - countOf(client),
  }
}
