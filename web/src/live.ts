import type { Problem } from '../../src/contract/api.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { ApiError } from './api.ts'
import { createSseParser, type Message } from './sse.ts'
import { type Bell, createStore, type Store } from './store.ts'

/**
 * The stream of status updates, kept open:
 *
 *     connecting → live → reconnecting → live …
 *                       ↘ stopped: by the reader, or for a reason that trying again does not mend
 *
 * After a break it goes on from the last position it was told. It is read with `fetch`, since an EventSource cannot send a key.
 */
export type LiveState =
  | { is: 'connecting' }
  | { is: 'live' }
  | { is: 'reconnecting'; since: number; nextAt: number; why: string }
  | { is: 'stopped'; problem: Problem | null }

export interface Live {
  state: Store<LiveState>
  /** The position to go on from, for one that is opened later. */
  lastId(): string
  stop(): void
}

export interface LiveOptions {
  open(lastId: string, signal: AbortSignal): Promise<Response>
  lastId: string
  onUpdate(update: StatusUpdate): void
  /** The stream has a gap, or had to be opened anew. */
  onNote(text: string): void
  /** Tries at once what waits for its next try. */
  wake: Bell
  now(): number
  /** @returns what cancels it. */
  later(ms: number, run: () => void): () => void
  random(): number
}

/** The server sends a comment at least this often. */
const LONGEST_SILENCE_MS = 60_000
/** A stream that lasted so long was a good one; one that ends at once counts as one more failure. */
const STEADY_MS = 5_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000

/** Before the try after so many failed ones: doubling, and spread so that clients do not come back all at once. */
export function waitBefore(failures: number, random: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) * (0.5 + random / 2)
}

/** Too many requests, a timeout, or trouble of the server's own passes; other refusals stay. */
const passes = ({ status }: Problem): boolean => status === 0 || status >= 500 || status === 429 || status === 408

export function openLive(options: LiveOptions): Live {
  const state = createStore<LiveState>({ is: 'connecting' })
  const stopping = new AbortController()
  const position = { lastId: options.lastId }

  async function run(): Promise<void> {
    let failures = 0
    let since = 0
    while (!stopping.signal.aborted) {
      let openedAt = Number.POSITIVE_INFINITY
      const why = await readOnce(options, position, stopping.signal, () => {
        openedAt = options.now()
        state.set({ is: 'live' })
      })
      if (stopping.signal.aborted) break
      if (options.now() - openedAt >= STEADY_MS) failures = 0
      if (why instanceof ApiError && !passes(why.problem)) {
        // It may be the position that is refused: whoever begins again begins with what comes next.
        if (why.problem.status === 400) position.lastId = ''
        state.set({ is: 'stopped', problem: why.problem })
        return
      }
      failures++
      if (failures === 1) since = options.now()
      const askedToWait = why instanceof ApiError ? why.waitMs : 0
      const wait = Math.max(askedToWait, waitBefore(failures, options.random()))
      state.set({ is: 'reconnecting', since, nextAt: options.now() + wait, why: why.message })
      await pause(wait, options, stopping.signal)
    }
    state.set({ is: 'stopped', problem: null })
  }

  void run()
  return { state, lastId: () => position.lastId, stop: () => stopping.abort() }
}

const silent = new Error('Nothing came for a minute')

/** Resolves with why it ended. */
async function readOnce(
  options: LiveOptions,
  position: { lastId: string },
  stop: AbortSignal,
  onOpen: () => void,
): Promise<Error> {
  const silence = new AbortController()
  const signal = AbortSignal.any([stop, silence.signal])
  const listen = () => options.later(LONGEST_SILENCE_MS, () => silence.abort())
  let cancel = listen()
  try {
    const response = await options.open(position.lastId, signal)
    onOpen()
    const parser = createSseParser((message) => take(message, options, position))
    const decoder = new TextDecoder()
    for await (const chunk of chunksOf(response, signal)) {
      cancel()
      cancel = listen()
      parser.push(decoder.decode(chunk, { stream: true }))
      position.lastId = parser.lastId() || position.lastId
    }
    return silence.signal.aborted ? silent : new Error('The server ended the stream')
  } catch (error) {
    return silence.signal.aborted ? silent : (error as Error)
  } finally {
    cancel()
  }
}

/** Not every browser can iterate over a stream. */
async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return
  const stop = () => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', stop)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

function take({ event, data, id }: Message, options: LiveOptions, position: { lastId: string }): void {
  const body = parsed(data)
  if (event === 'status') {
    if (isUpdate(body)) options.onUpdate(body)
  } else if (event === 'dropped') {
    options.onNote(`The server let this stream go: ${reasonOf(body)}`)
  } else if (event === 'reset') {
    // The place is gone; asking for it again would only be told so again.
    position.lastId = id
    options.onNote(`Updates are missing here: ${reasonOf(body)}`)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isUpdate = (body: unknown): body is StatusUpdate =>
  typeof body === 'object' &&
  body !== null &&
  typeof (body as StatusUpdate).id === 'string' &&
  typeof (body as StatusUpdate).status === 'string'

const reasonOf = (body: unknown): string => String((body as { reason?: unknown } | null)?.reason ?? 'no reason given')

function pause(ms: number, { later, wake }: LiveOptions, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      cancel()
      quiet()
      signal.removeEventListener('abort', go)
      resolve()
    }
    const cancel = later(ms, go)
    const quiet = wake.on(go)
    signal.addEventListener('abort', go)
  })
}
