/** The bounded memory of answers. Which ones stay is for a library's W-TinyLFU; here is what it is asked by subject. */
import transitory, { type Cache } from 'transitory'
import type { Answer, Part } from './answer.ts'

/** Times are in ms of the cache's clock. */
export interface Entry {
  readonly answer: Answer
  /** When its load began. */
  readonly loadedAt: number
  /** Until when it is good, if nothing is heard of it. */
  readonly freshUntil: number
  /** Something newer exists: it is only good for when the stores are away. */
  isOutdated: boolean
  /** Somebody was shown something newer: it is good for nothing. */
  isSuperseded: boolean
  hits: number
  readonly subjects: readonly string[]
  /** Bytes of memory, about. */
  readonly weight: number
  /** Whether an event belongs into it, where it is a list. */
  readonly belongs: (part: Part) => boolean
}

export interface Store {
  get(key: string): Entry | undefined
  put(key: string, entry: Entry): void
  /** Entries about a subject, with its version in each; null where they are about it in another way. */
  about(subject: string): readonly [Entry, version: string | null][]
  clear(): void
  readonly size: number
  readonly bytes: number
}

/** What is larger than this part of the memory is not kept. */
const LARGEST_PART = 16
const NOTHING: readonly [Entry, null][] = []

export function createStore(mostBytes: number, onEvicted: () => void): Store {
  /** Keys of lists by the subjects they are about; an event's own key is its subject. Mostly it is one, without a set around it. */
  const lists = new Map<string, string | Set<string>>()
  const entries: Cache<string, Entry> = transitory
    .newCache<string, Entry>()
    .maxSize(mostBytes)
    .withWeigher((_, { weight }) => weight)
    .withRemovalListener((key, entry, reason) => {
      if (reason === transitory.RemovalReason.SIZE) onEvicted()
      for (const subject of entry.subjects) forget(subject, key)
    })
    .build()

  function remember(subject: string, key: string): void {
    const keys = lists.get(subject)
    if (keys === undefined) lists.set(subject, key)
    else if (typeof keys !== 'string') keys.add(key)
    else if (keys !== key) lists.set(subject, new Set([keys, key]))
  }

  function forget(subject: string, key: string): void {
    const keys = lists.get(subject)
    if (typeof keys === 'object') keys.delete(key)
    if (keys === key || (typeof keys === 'object' && keys.size === 0)) lists.delete(subject)
  }

  return {
    get: (key) => entries.getIfPresent(key) ?? undefined,
    put(key, entry) {
      if (entry.weight * LARGEST_PART > mostBytes) {
        entries.delete(key)
        return
      }
      entries.set(key, entry)
      if (!entries.has(key)) return // it was not admitted
      for (const subject of entry.subjects) remember(subject, key)
    },
    about(subject) {
      const own = entries.peek(subject)
      const keys = lists.get(subject)
      if (own === null && keys === undefined) return NOTHING
      const found: [Entry, string | null][] = []
      if (own) found.push([own, own.answer.parts[0]?.version ?? null])
      for (const key of typeof keys === 'string' ? [keys] : (keys ?? [])) {
        const entry = entries.peek(key)
        if (entry) found.push([entry, entry.answer.parts.find((part) => part.subject === subject)?.version ?? null])
      }
      return found
    },
    clear: () => entries.clear(),
    get size() {
      return entries.size
    },
    get bytes() {
      return entries.weightedSize
    },
  }
}
