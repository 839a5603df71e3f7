import type { CacheReport } from '../../src/contract/api.ts'
import { createApi } from './api.ts'
import { createCacheHistory } from './cache-history.ts'
import { type PollOptions, startPoll } from './polling.ts'
import { createBell, createStore } from './store.ts'

/** What the whole page shares: how it asks its server, and what it knows of the server's health. */

const KEY = 'pm-parking-events-key'

/** In this tab's session only; a browser that keeps nothing makes it last until the page is left. */
function storedKey(): string | null {
  try {
    return sessionStorage.getItem(KEY)
  } catch {
    return null
  }
}

export const key = createStore<string | null>(storedKey())
key.watch(() => {
  try {
    const value = key.get()
    if (value === null) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, value)
  } catch {
    // It is kept for as long as the page is open.
  }
})

export const api = createApi({
  fetch: (...asked) => fetch(...asked),
  page: () => document.baseURI,
  key,
  now: Date.now,
})

/** Rings when what failed or slept should try again at once. */
export const wake = createBell()
key.watch(wake.ring)
addEventListener('online', wake.ring)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) wake.ring()
})

export function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

export const pollOptions = (every: number): PollOptions => ({
  every,
  wake,
  asleep: () => document.hidden,
  now: Date.now,
  later,
})

export interface Readiness {
  status?: string
  conditions: Record<string, { ok: boolean; detail?: string; since: string }>
}

/** Also tells whether anybody answers at all. */
export const ready = startPoll<Readiness>(
  async (signal) => (await api.get<Readiness>('readyz', { signal, alsoOk: 503 })).body,
  pollOptions(5_000),
).shown

/** Asked from the start, so that the charts hold the time for which the page is open. */
export const cacheReport = startPoll<CacheReport>(
  async (signal) => (await api.get<CacheReport>('v1/cache', { signal })).body,
  pollOptions(3_000),
).shown

/** An hour and a half. */
export const cacheHistory = createCacheHistory(2_000)
cacheReport.watch(() => {
  const { data, at, problem } = cacheReport.get()
  if (data !== null && problem === null) cacheHistory.add(data, at)
})
