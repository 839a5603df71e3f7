import type { Problem } from '../../src/contract/api.ts'
import { ApiError } from './api.ts'
import { type Bell, createStore, type Store } from './store.ts'

/** What a part of the page shows: the last answer, and what is wrong since. */
export interface Shown<T> {
  data: T | null
  /** When the data came, epoch milliseconds. */
  at: number
  problem: Problem | null
}

/** Before the first answer. */
export const NOTHING_YET: Shown<never> = { data: null, at: 0, problem: null }

export interface Poll<T> {
  shown: Store<Shown<T>>
  stop(): void
}

export interface PollOptions {
  every: number
  /** Asks at once. */
  wake: Bell
  /** Nobody looks: it asks no more until it is woken. */
  asleep(): boolean
  now(): number
  /** @returns what cancels it. */
  later(ms: number, run: () => void): () => void
}

const LONGEST_WAIT_MS = 30_000

/**
 * Milliseconds until the next question; null: not before something changes. A server that is slow is asked less often, and
 * one that fails ever less.
 */
export function waitAfter(problem: Problem | null, failures: number, every: number, took: number): number | null {
  if (problem === null) return Math.max(every, 4 * took)
  if ([400, 401, 403].includes(problem.status)) return null
  return Math.max(every, Math.min(LONGEST_WAIT_MS, every * 2 ** failures))
}

/** Asks again and again, one question at a time, and keeps the last answer while later ones fail. */
export function startPoll<T>(read: (signal: AbortSignal) => Promise<T>, options: PollOptions): Poll<T> {
  const { every, wake, asleep, now, later } = options
  const shown = createStore<Shown<T>>(NOTHING_YET)
  const stopping = new AbortController()
  let cancel = () => {}
  let asking = false
  let askAgain = false
  let failures = 0
  let askedToWait = 0

  async function ask(): Promise<void> {
    if (stopping.signal.aborted) return
    // Woken amid a question, which may have been asked with an old key.
    if (asking) askAgain = true
    if (asking) return
    cancel()
    asking = true
    askAgain = false
    const began = now()
    const problem = await answer()
    asking = false
    if (stopping.signal.aborted) return
    failures = problem === null ? 0 : failures + 1
    const wait = askAgain ? 0 : waitAfter(problem, failures, every, now() - began)
    if (wait !== null && !asleep()) cancel = later(Math.max(wait, askedToWait), ask)
  }

  async function answer(): Promise<Problem | null> {
    askedToWait = 0
    try {
      const data = await read(stopping.signal)
      if (!stopping.signal.aborted) shown.set({ data, at: now(), problem: null })
      return null
    } catch (error) {
      if (stopping.signal.aborted) return null
      const problem = asProblem(error)
      askedToWait = error instanceof ApiError ? error.waitMs : 0
      shown.set(afterFailure(shown.get(), problem))
      return problem
    }
  }

  const quiet = wake.on(ask)
  void ask()
  return {
    shown,
    stop() {
      stopping.abort()
      cancel()
      quiet()
    },
  }
}

/** The last data stay, but for what may not be read any more. */
function afterFailure<T>({ data, at }: Shown<T>, problem: Problem): Shown<T> {
  return { data: [401, 403, 404, 410].includes(problem.status) ? null : data, at, problem }
}

/** A mistake of ours is told as a problem too, so that one part fails and not the page. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem
  return { type: 'about:blank', title: 'This could not be shown', status: -1, detail: String(error) }
}
