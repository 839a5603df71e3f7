import { setTimeout as delay } from 'node:timers/promises'

export interface UntilOptions {
  timeoutMs: number
  /** What is waited for, as the error says it: `until: the document is written` … */
  what: string
  /** Pause between two looks. */
  everyMs?: number
}

/**
 * Waits for a condition: looks again and again until it gives something truthy, and returns that. A look that throws
 * counts as "not yet". Throws after `timeoutMs`, naming `what` and how the last look ended.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs, what, everyMs = 50 }: UntilOptions,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let last: unknown
    try {
      const value = await condition()
      if (value) return value
      last = value
    } catch (error) {
      last = error
    }
    if (Date.now() >= deadline) {
      const end = last instanceof Error ? last.message : String(last)
      throw new Error(`Waited ${timeoutMs / 1_000} s in vain until: ${what}. The last look gave: ${end}`)
    }
    await delay(everyMs)
  }
}
