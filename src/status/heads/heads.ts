import { msOf } from '../../contract/iso-time.ts'
import type { Head } from '../fold.ts'

/** The last record of a status partition that heads have taken in: all below it are in them too. */
export interface Mark {
  offset: bigint
  /** 16 hex digits over its key, value and timestamp: tells whether it is still the same topic. */
  digest: string
}

/**
 * The heads of one lane: of each key, what its latest committed update says. Two kinds, in memory and on disk, behave the
 * same (`test/support/heads-conformance.ts`). All calls are synchronous; those on disk throw HeadsError.
 */
export interface Heads {
  /** Keys that have a head. */
  readonly size: number
  /** Null: nothing was taken in yet, or it is not known how far. */
  readonly mark: Mark | null
  get(key: string): Head | undefined
  /**
   * Takes in heads of committed updates; null ends a key. With a mark, everything up to it is in. A mark may lag: to take in
   * a record again, in the order of the topic, changes nothing in the end.
   */
  put(heads: Iterable<readonly [key: string, head: Head | null]>, mark: Mark | null): void
  /**
   * The keys of which all is older than `before` (epoch ms), among the next of `slices` slices: so many calls go round once.
   * A head with a time that cannot be read never is.
   */
  due(before: number, slices: number): string[]
  /** Gives back what it holds; never throws. A store on disk stays, and the next opening goes on from it. */
  close(): void
  /** Closes, and deletes what is on disk, as far as that can be done. */
  discard(): void
}

/** What goes wrong with heads on disk. The message names the file and the remedy. */
export class HeadsError extends Error {
  override name = 'HeadsError'
  /** What is on disk is damaged: it must be discarded, and restored from the topic. Otherwise the disk is at fault. */
  readonly isDamaged: boolean

  constructor(message: string, options: { isDamaged: boolean; cause?: unknown }) {
    super(message, options)
    this.isDamaged = options.isDamaged
  }
}

/** The newest observed time of a head, epoch ms; Infinity when one cannot be read. */
export function newestOf(head: Head): number {
  let newest = Number.NEGATIVE_INFINITY
  for (const kind in head.state) {
    const text = head.state[kind as keyof Head['state']]?.occurred_at ?? ''
    const short = msOf(text)
    const at = Number.isNaN(short) ? Date.parse(text) : short
    newest = Math.max(newest, Number.isNaN(at) ? Number.POSITIVE_INFINITY : at)
  }
  return newest
}

const MOST_SECONDS = 2 ** 32 - 1

/** The same in seconds, rounded up, from 0 to 2^32 - 1, as a table holds it; -1 where the key has ended. */
export function secondsOf(head: Head | null): number {
  return head === null ? -1 : Math.min(MOST_SECONDS, Math.max(0, Math.ceil(newestOf(head) / 1_000)))
}
