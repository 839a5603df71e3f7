import { setTimeout as delay } from 'node:timers/promises'
import { between, look, type Usage } from './processor-time.ts'

/**
 * What is measured of a side: the time and processor time between the moment when a part of the records is done and the
 * moment when all are. Start-up is so left out for both sides alike: starting, joining, the first compilation.
 */
export interface Window {
  /** Why its figures do not count; empty when they do. */
  doubts: string[]
  /** Records done within it. */
  records: number
  perSecond: number
  /** Processor time a record in microseconds, by process. */
  micros: Record<string, number>
  /** The sum without the bench's own. */
  total: number
  usage: Usage
}

export interface Progress {
  /** Records with which nothing is left to do. */
  done: number
  /** Records with which something has been done. */
  begun: number
}

export interface WindowOptions {
  records: number
  /** Share of the records after which it opens. */
  from: number
  progress: () => Promise<Progress>
  /** Process ids by name. */
  watched: Record<string, number[]>
  timeoutMs: number
  what: string
}

const LOOK_MS = 200
const LAST_LOOK_MS = 25
/** Of the records, so many must be in the window: with few records or a slow bench it may open late. */
const LEAST_WINDOW = 0.2
/** Others may use this share of one processor. */
const MOST_FOREIGN = 0.1

/** Records that are only begun when it opens count as done before: the side gets no credit for work that was paid before. */
export async function measureWindow(options: WindowOptions): Promise<Window> {
  const { records, from, progress, watched, timeoutMs, what } = options
  const deadline = Date.now() + timeoutMs
  let opened: { begun: number; seen: ReturnType<typeof look> } | undefined
  for (;;) {
    const { done, begun } = await progress()
    if (opened === undefined && begun >= records * from) opened = { begun, seen: look(watched) }
    if (opened !== undefined && done >= records) break
    if (Date.now() > deadline)
      throw new Error(`${what}: only ${done} of ${records} records are done in ${timeoutMs / 1e3} s`)
    await delay(done > records * 0.9 ? LAST_LOOK_MS : LOOK_MS)
  }
  const window = windowOf(records - opened.begun, between(opened.seen, look(watched)))
  if (window.records < records * LEAST_WINDOW) window.doubts.push(`only ${window.records} records in the window`)
  return window
}

export function windowOf(records: number, usage: Usage): Window {
  const micros = Object.fromEntries(
    Object.entries(usage.own).map(([name, seconds]) => [name, (seconds * 1e6) / records] as const),
  )
  const total = Object.entries(micros).reduce((sum, [name, value]) => (name === 'bench' ? sum : sum + value), 0)
  return { records, perSecond: records / usage.seconds, micros, total, usage, doubts: doubtsAbout(usage) }
}

export function doubtsAbout({ foreign, load }: Usage): string[] {
  if (foreign <= MOST_FOREIGN) return []
  return [`others used ${Math.round(foreign * 100)} % of a processor (load ${load.toFixed(1)})`]
}
