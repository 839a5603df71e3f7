import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOutOptions {
  /** Ends the wait: the last error is thrown. */
  signal: AbortSignal
  /** Called at each failure. */
  onFailure: (error: Error, failedForMs: number, attempt: number) => void
  /** Called when it works again after failures. */
  onRecovery?: (failedForMs: number) => void
  /** Whether waiting cannot help: the error is thrown at once. */
  giveUp?: (error: Error) => boolean
  /** Whether it is no outage and nothing but a human mends it: tried once a minute only. */
  seldom?: (error: Error) => boolean
  firstDelayMs?: number
  maxDelayMs?: number
}

/**
 * Does `work` until it succeeds: an outage is waited out, with growing pauses (100 ms to 5 s, ±20 %).
 * Throws what `work` threw last once `signal` aborts, or at once what `giveUp` names.
 */
export async function waitOut<T>(work: () => Promise<T>, options: WaitOutOptions): Promise<T> {
  const { signal, firstDelayMs = 100, maxDelayMs = 5_000 } = options
  let since = 0
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await work()
      if (since) options.onRecovery?.(Date.now() - since)
      return result
    } catch (error) {
      if (signal.aborted || options.giveUp?.(error as Error)) throw error
      since ||= Date.now()
      options.onFailure(error as Error, Date.now() - since, attempt)
      const shortest = options.seldom?.(error as Error) ? 60_000 : 0
      const delay = Math.max(
        shortest,
        Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 16)) * (0.8 + 0.4 * Math.random()),
      )
      await sleep(delay, undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}
