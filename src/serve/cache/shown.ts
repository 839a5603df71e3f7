/**
 * What is shown to somebody while a list is being loaded: a list that should have it and does not was read before. Kept for as long
 * as the load takes.
 */
import type { Part } from './answer.ts'

export interface Shown {
  /** From now on, for a load of a list about these subjects. */
  watch(subjects: readonly string[]): Watched
  /** An event that belongs into the lists about a subject. */
  tell(subject: string, part: Part): void
}

export interface Watched {
  readonly parts: Iterable<Part>
  end(): void
}

export function createShown(): Shown {
  const watching = new Map<string, Set<Map<string, Part>>>()

  function forget(subject: string, parts: Map<string, Part>): void {
    const loads = watching.get(subject)
    loads?.delete(parts)
    if (loads?.size === 0) watching.delete(subject)
  }

  return {
    watch(subjects) {
      const parts = new Map<string, Part>()
      for (const subject of subjects) {
        const loads = watching.get(subject)
        if (loads === undefined) watching.set(subject, new Set([parts]))
        else loads.add(parts)
      }
      return {
        parts: { [Symbol.iterator]: () => parts.values() },
        end() {
          for (const subject of subjects) forget(subject, parts)
        },
      }
    },
    tell(subject, part) {
      for (const parts of watching.get(subject) ?? []) parts.set(part.subject, part)
    },
  }
}
