import type { Problem } from '../../src/contract/api.ts'
import { createStore, type Store } from './store.ts'

/** A request that was not answered with what it asked for. `problem.status` 0: there was no answer at all. */
export class ApiError extends Error {
  readonly problem: Problem
  /** The server wants not to be asked before so many milliseconds have passed. */
  readonly waitMs: number
  constructor(problem: Problem, waitMs = 0) {
    super(problem.title)
    this.problem = problem
    this.waitMs = waitMs
  }
}

export interface Answer<T> {
  body: T
  /** Where the next page is. */
  next: string | null
}

interface Asking {
  signal?: AbortSignal
  /** A status that has the same body as 200. */
  alsoOk?: number
  /** Keeps numbers that a double cannot hold, for what is shown as JSON. */
  exact?: boolean
}

/** Asks the server that the page came from. Paths are relative to the page: `v1/zones`. */
export interface Api {
  get<T>(path: string, asking?: Asking): Promise<Answer<T>>
  post<T>(path: string, body: unknown, asking?: Asking): Promise<Answer<T>>
  /** A stream of server-sent events, from after `lastId` on. */
  stream(path: string, lastId: string, signal: AbortSignal): Promise<Response>
  /** Epoch milliseconds since when there is no answer; null: the last request had one. */
  away: Store<number | null>
  key: Store<string | null>
  /** `missing`: the server wants a key; `refused`: not this one. */
  keyNeeded: Store<'missing' | 'refused' | null>
}

interface Surroundings {
  fetch: typeof fetch
  /** Address of the page. */
  page: () => string
  key: Store<string | null>
  now: () => number
}

const PATIENCE_MS = 20_000
/** What a proxy says when the server behind it is away. */
const NOBODY_THERE = [502, 504]

export function createApi({ fetch, page, key, now }: Surroundings): Api {
  const away = createStore<number | null>(null)
  const keyNeeded = createStore<'missing' | 'refused' | null>(null)
  key.watch(() => keyNeeded.set(null))

  async function send(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const used = key.get()
    const headers = used === null ? init.headers : { ...init.headers, authorization: `Bearer ${used}` }
    const response = await reach(
      () => fetch(new URL(path, page()), { ...init, headers, cache: 'no-cache' }),
      init.signal,
    )
    // An answer to an earlier key says nothing about the one there is now.
    if (response.status === 401 && used === key.get()) keyNeeded.set(used === null ? 'missing' : 'refused')
    return response
  }

  /** Notes whether anybody answered. */
  async function reach(run: () => Promise<Response>, signal: AbortSignal | null | undefined): Promise<Response> {
    try {
      const response = await run()
      if (NOBODY_THERE.includes(response.status)) away.set(away.get() ?? now())
      else away.set(null)
      return response
    } catch (error) {
      // Given up by us, but not for want of an answer.
      if (signal?.aborted && (signal.reason as Error).name !== 'TimeoutError') throw error
      away.set(away.get() ?? now())
      throw new ApiError(noAnswer)
    }
  }

  async function ask<T>(path: string, init: RequestInit & { headers: Record<string, string> }, asking: Asking) {
    const patience = AbortSignal.timeout(PATIENCE_MS)
    const signal = asking.signal ? AbortSignal.any([asking.signal, patience]) : patience
    const response = await send(path, { ...init, signal })
    if (!response.ok && response.status !== asking.alsoOk) throw await errorOf(response)
    const text = await reachBody(response, away, now)
    return { body: parse(text, asking.exact === true) as T, next: nextOf(response.headers.get('link'), response.url) }
  }

  return {
    away,
    key,
    keyNeeded,
    get: (path, asking = {}) => ask(path, { headers: { accept: 'application/json' } }, asking),
    post: (path, body, asking = {}) =>
      ask(
        path,
        {
          method: 'POST',
          headers: { accept: 'application/json', 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
        asking,
      ),
    async stream(path, lastId, signal) {
      const position: Record<string, string> = lastId === '' ? {} : { 'last-event-id': lastId }
      const response = await send(path, { headers: { accept: 'text/event-stream', ...position }, signal })
      if (!response.ok) throw await errorOf(response)
      return response
    },
  }
}

const noAnswer: Problem = { type: 'about:blank', title: 'The server does not answer', status: 0 }

/** The connection can also break between head and body. */
async function reachBody(response: Response, away: Store<number | null>, now: () => number): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    away.set(away.get() ?? now())
    throw new ApiError(noAnswer)
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  return new ApiError(await problemOf(response), seconds > 0 ? seconds * 1_000 : 0)
}

/** What the server says of it, or what its status says where it says nothing. */
export async function problemOf(response: Response): Promise<Problem> {
  const said: unknown = await response.json().catch(() => null)
  const from: Record<string, unknown> = typeof said === 'object' && said !== null ? { ...said } : {}
  const text = (name: string) => (typeof from[name] === 'string' ? (from[name] as string) : undefined)
  const detail = text('detail')
  const remedy = text('remedy')
  return {
    type: text('type') ?? 'about:blank',
    title: text('title') ?? (response.statusText || `HTTP ${response.status}`),
    status: response.status,
    ...(detail !== undefined && { detail }),
    ...(remedy !== undefined && { remedy }),
  }
}

function parse(text: string, exact: boolean): unknown {
  try {
    return exact ? JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) : JSON.parse(text)
  } catch {
    throw new ApiError({ type: 'about:blank', title: 'The server answered something else than JSON', status: 200 })
  }
}

const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => object }

/** Ids of 64 bits stand in what ParkMobile answered; as doubles they would be shown as other ids. */
function keepDigits(_: string, value: unknown, context?: { source?: string }): unknown {
  const unsafe = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  return unsafe && rawJSON && context?.source !== undefined ? rawJSON(context.source) : value
}

/** The address of `rel="next"` of a `Link` header; null where there is none, or it leads away from the server. */
export function nextOf(link: string | null, base: string): string | null {
  for (const [, target, parameters] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (target === undefined || !/;\s*rel\s*=\s*"?next"?/i.test(parameters ?? '')) continue
    if (!URL.canParse(target, base)) return null
    const next = new URL(target, base)
    return next.origin === new URL(base).origin ? next.href : null
  }
  return null
}
