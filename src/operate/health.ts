import { scrub } from './scrub.ts'

export interface Condition {
  readonly ok: boolean
  readonly detail?: string
  /** When `ok` last changed, ISO 8601. */
  readonly since: string
}

export interface Report {
  readonly ok: boolean
  readonly conditions: Readonly<Record<string, Condition>>
}

/**
 * Two answers for an orchestrator. *Ready*: every condition that was ever set is met; an outage makes it not ready, and
 * it comes back by itself. *Alive*: nothing happened that only a restart mends.
 */
export interface Health {
  /** Sets a condition of readiness, such as `kafka`; `detail` says what is missing. */
  set(name: string, ok: boolean, detail?: string): void
  /** Forgets a condition that no longer applies. */
  clear(name: string): void
  /** Says that this process cannot recover by itself. There is no way back. */
  dead(reason: string): void
  alive(): Report
  ready(): Report
}

/** Alive, and not ready until the first condition is set and all are met. */
export function createHealth(now: () => Date = () => new Date()): Health {
  const conditions = new Map<string, Condition>()
  let death: Condition | null = null

  const condition = (ok: boolean, detail: string | undefined, since: string): Condition =>
    detail === undefined ? { ok, since } : { ok, detail: scrub(detail), since }

  return {
    set(name, ok, detail) {
      const before = conditions.get(name)
      conditions.set(name, condition(ok, detail, before?.ok === ok ? before.since : now().toISOString()))
    },
    clear(name) {
      conditions.delete(name)
    },
    dead(reason) {
      death ??= condition(false, reason, now().toISOString())
    },
    alive: () => ({ ok: death === null, conditions: death === null ? {} : { process: death } }),
    ready: () => ({
      ok: death === null && conditions.size > 0 && [...conditions.values()].every((c) => c.ok),
      conditions: { ...Object.fromEntries(conditions), ...(death !== null && { process: death }) },
    }),
  }
}
