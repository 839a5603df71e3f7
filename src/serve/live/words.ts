/**
 * The status words of a session that is over. Every other word says that it is parked, also one that nobody has heard of
 * yet: a car that is shown too long is found, one that is not shown is not.
 */
const ENDED: ReadonlySet<string> = new Set(['finished', 'expired', 'cancelled'])

/** Whether a session with this status word is parked; null: it has none. */
export const isParkedWord = (word: string | null | undefined): boolean =>
  word !== null && word !== undefined && !ENDED.has(word)
