/** Waiting for what is away: each dependency with its health condition, its metric, and a log line that says since when. */
import type { Logger } from 'pino'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'
import { createSeldom, type Seldom } from './seldom.ts'
import { waitOut } from './wait-out.ts'

export type Dependency = 'kafka' | 'mongodb' | 'registry'

export interface Outages {
  /** Does `work` until it succeeds. Throws once `signal` has aborted, or at once what `giveUp` names. */
  waitOut<T>(
    dependency: Dependency,
    signal: AbortSignal,
    work: () => Promise<T>,
    giveUp?: (error: Error) => boolean,
  ): Promise<T>
}

/** The error of a dependency in the plainest words there are for it. */
export type Explain = (dependency: Dependency, error: Error) => string

export function createOutages(
  health: Health,
  metrics: Pick<Metrics, 'dependencyUp'>,
  log: Logger,
  explain: Explain = (_, { message }) => message,
): Outages {
  const seldom = new Map<Dependency, Seldom>()
  const seldomOf = (dependency: Dependency): Seldom => {
    const one = seldom.get(dependency) ?? createSeldom()
    seldom.set(dependency, one)
    return one
  }
  /** Waits that go on, by what they wait for. It is up only when nothing waits for it: a ping may work where a write does not. */
  const waiting = new Map<Dependency, Set<symbol>>()
  const up = (dependency: Dependency, wait: symbol) => {
    waiting.get(dependency)?.delete(wait)
    if (waiting.get(dependency)?.size) return
    health.set(dependency, true)
    metrics.dependencyUp.set({ dependency }, 1)
  }
  const down = (dependency: Dependency, wait: symbol, error: Error, failedForMs: number) => {
    waiting.set(dependency, (waiting.get(dependency) ?? new Set()).add(wait))
    const since = new Date(Date.now() - failedForMs).toISOString()
    const reason = explain(dependency, error)
    health.set(dependency, false, `away since ${since}: ${reason}`)
    metrics.dependencyUp.set({ dependency }, 0)
    if (seldomOf(dependency).isDue()) log.warn({ dependency, since, reason }, `waiting for ${dependency}`)
  }
  return {
    async waitOut(dependency, signal, work, giveUp) {
      const wait = Symbol(dependency)
      try {
        const result = await waitOut(work, {
          signal,
          ...(giveUp && { giveUp }),
          onFailure: (error, failedForMs) => down(dependency, wait, error, failedForMs),
          onRecovery: (failedForMs) => {
            seldomOf(dependency).end()
            log.info({ dependency, seconds: Math.round(failedForMs / 1_000) }, `${dependency} is back`)
          },
        })
        up(dependency, wait)
        return result
      } finally {
        waiting.get(dependency)?.delete(wait)
      }
    },
  }
}
