/** What the commands that run until a signal share: parts are started one by one, and closed in reverse. */
import type { Logger } from 'pino'
import { untilStopped } from './command-line.ts'

export type Close = () => Promise<unknown>

export interface Lifetime {
  /** What is closed at the end, in reverse. */
  readonly closing: Close[]
  /** Aborts when the end comes. */
  readonly signal: AbortSignal
  /** Ends it, with exit code 1. */
  readonly fail: (error: Error) => void
}

/** How long a shutdown may take; what was not committed by then is replayed at the next start. */
const SHUTDOWN_MS = 9_000

/** Runs until a signal, or until something fails for good; the exit code. */
export async function runService(log: Logger, start: (lifetime: Lifetime) => Promise<void>): Promise<number> {
  using stopped = untilStopped()
  const closing: Close[] = []
  const failure = new AbortController()
  const signal = AbortSignal.any([stopped.signal, failure.signal])
  const ended = new Promise((resolve) => signal.addEventListener('abort', resolve))
  const fail = (error: Error) => failure.abort(error)
  // What is still starting when the end comes is not waited for.
  start({ closing, signal, fail }).catch((error) => {
    if (!signal.aborted) fail(error)
  })
  await ended
  const code = failure.signal.aborted ? 1 : 0
  if (code === 1) log.fatal({ err: failure.signal.reason }, 'cannot go on')
  else log.info('stopping: finishing what is in flight')
  await closeInReverse(closing, log, code)
  log.info('stopped')
  return code
}

async function closeInReverse(closing: Close[], log: Logger, code: number): Promise<void> {
  const deadline = setTimeout(() => {
    log.warn('not everything closed in time; what was not committed is replayed at the next start')
    process.exit(code)
  }, SHUTDOWN_MS)
  for (const close of closing.reverse()) await close().catch((error) => log.warn({ err: error }, 'closing failed'))
  clearTimeout(deadline)
}
