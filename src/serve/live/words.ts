/**
 * Whether a session with this status word is parked; null: it has none. Every word but those that end it says so, also one
 * that nobody has heard of yet: a car that is shown too long is found, one that is not shown is not.
 */
export const isParkedWord = (word: string | null): boolean =>
  word !== null && word !== 'finished' && word !== 'expired' && word !== 'cancelled'
