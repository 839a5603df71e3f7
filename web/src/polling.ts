import type { Problem } from '../../src/contract/api.ts'
import { ApiError } from './api.ts'
import { type Bell, createStore, type Store } from './store.ts'

/** What a part of the page shows: the last answer, and what is wrong since when. */
export interface Shown<T> {
  data: T | null
  /** When the data came, epoch milliseconds. */
  at: number
  problem: Problem | null
  /** Since when there is the problem. */
  since: number
}

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
  const shown = createStore<Shown<T>>({ data: null, at: 0, problem: null, since: 0 })
  const stopping = new AbortController()
  let cancel = () => {}
  let asking = false
  let failures = 0

  async function ask(): Promise<void> {
    if (asking || stopping.signal.aborted) return
    cancel()
    asking = true
    const began = now()
    const problem = await answer()
    asking = false
    if (stopping.signal.aborted) return
    failures = problem === null ? 0 : failures + 1
    const wait = waitAfter(problem, failures, every, now() - began)
    if (wait !== null && !asleep()) cancel = later(wait, ask)
  }

  async function answer(): Promise<Problem | null> {
    try {
      const data = await read(stopping.signal)
      if (!stopping.signal.aborted) shown.set({ data, at: now(), problem: null, since: 0 })
      return null
    } catch (error) {
      if (stopping.signal.aborted) return null
      const problem = asProblem(error)
      const before = shown.get()
      const same = before.problem?.status === problem.status
      // What may not be read any more is not shown any more.
      const data = [401, 403, 404].includes(problem.status) ? null : before.data
      shown.set({ data, at: before.at, problem, since: same ? before.since : now() })
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

/** A mistake of ours is told as a problem too, so that one part fails and not the page. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem
  return { type: 'about:blank', title: 'This could not be shown', status: -1, detail: String(error) }
}
