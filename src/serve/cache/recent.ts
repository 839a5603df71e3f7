/**
 * What was last heard of each subject, and when: that it changed, and the newest version of it that was shown to somebody. A load
 * that was on its way meanwhile may bring what is older. Bounded: what was pushed out counts as changed.
 */
export interface Recent {
  /** A moment; later ones are greater. */
  now(): number
  noteChanged(subject: string): void
  noteShown(subject: string, version: string): void
  /** Anything may have changed. */
  noteAll(): void
  /**
   * Of what a load that began at a moment has brought of a subject: whether it is older than what was shown since, or the subject has
   * changed since, perhaps before the store was asked.
   * @param version null: the load brought nothing of it, or the subject is a list.
   */
  judge(subject: string, version: string | null, since: number): Judgement
  /** Subjects. */
  readonly size: number
}

/** What one subject takes, about; measured by test/acceptance/cache-memory.ts. */
export const RECENT_BYTES = 260

export type Judgement = 'good' | 'changed' | 'older'

interface Heard {
  changedAt: number
  shownAt: number
  version: string
  last: number
}

export function createRecent(most: number): Recent {
  const heard = new Map<string, Heard>()
  /** Goes from the oldest on, and never back: a new walk would pass the holes of all that was deleted at the beginning of the map. */
  let oldest = heard.entries()
  let moment = 0
  /** All that was heard after it is still known. */
  let complete = 0

  /** What is known of a subject; it counts as the newest then, so that the oldest is always the first. */
  function touch(subject: string): Heard {
    const known = heard.get(subject) ?? { changedAt: 0, shownAt: 0, version: '', last: 0 }
    heard.delete(subject)
    heard.set(subject, known)
    known.last = ++moment
    if (heard.size > most) forgetOldest()
    return known
  }

  function forgetOldest(): void {
    const { value } = oldest.next()
    if (value === undefined) return
    const [subject, { last }] = value
    heard.delete(subject)
    complete = last
  }

  return {
    get size() {
      return heard.size
    },
    now: () => moment,
    noteChanged(subject) {
      touch(subject).changedAt = moment
    },
    noteShown(subject, version) {
      const known = touch(subject)
      if (version < known.version) return
      known.version = version
      known.shownAt = moment
    },
    noteAll() {
      heard.clear()
      oldest = heard.entries()
      complete = ++moment
    },
    judge(subject, version, since) {
      const known = heard.get(subject)
      if (known && known.shownAt > since && (version === null || version < known.version)) return 'older'
      return since < complete || (known && known.changedAt > since) ? 'changed' : 'good'
    },
  }
}
