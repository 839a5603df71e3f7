import { setTimeout as sleep } from 'node:timers/promises'

/** Looks again and again, `everyMs` after each look ended, until the signal aborts; `look` handles its own errors. */
export async function watch(everyMs: number, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look().catch(() => {})
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}
