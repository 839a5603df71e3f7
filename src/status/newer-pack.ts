import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Health } from '../operate/health.ts'
import type { Turn } from '../stream/turns.ts'

/** A pack of a later program. It is no dead letter: what it holds counts as soon as a program is here that can read it. */
export class NewerPackError extends Error {
  override name = 'NewerPackError'
}

const LOOK_AGAIN_MS = 30_000

/** Fetches nothing more of the partition for a while. Its lane stays open: what came before is published, and nothing is skipped. */
export function waitForUpgrade(
  { message: reason }: NewerPackError,
  { partition, pauseUntil }: Turn,
  signal: AbortSignal,
  { health, log }: { health: Health; log: Logger },
): void {
  log.error({ partition, reason }, 'lane waits')
  health.set(`lane-${partition}`, false, reason)
  pauseUntil(sleep(LOOK_AGAIN_MS, undefined, { signal }))
}
